//! The methods of [`Call`], [`Reading`] and [`Prompting`] that ask the client.

use core::future::{Future, pending, poll_fn};
use core::task::Poll;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Content, Elicited, Held, Roots, Sampled};
use super::ask::{Ask, Keyed, Ticket, Way};
use super::question::{Elicit, ElicitJson, ElicitUrl, ListRoots, Questions, Sample, Sampling};
use super::{Capability, InputError};
use crate::app::{Arg, Call, Prompting, Reading};
use crate::json::{self, Writer};
use crate::outlet::{Mark, Out};
use crate::rpc::{self, Code, Request};

/// What a call needs in order to ask.
#[derive(Clone, Copy)]
pub(in crate::app) struct Asker<'a> {
    pub(in crate::app) ask: &'a dyn Ask,
    pub(in crate::app) out: Out<'a>,
    pub(in crate::app) request: &'a Request<'a>,
    /// Where the response begins.
    pub(in crate::app) begin: Mark,
}

impl<'a> Asker<'a> {
    fn client_can(self, capability: Capability) -> bool {
        self.ask.capabilities() & capability.bit() != 0
    }

    /// Gets the answers to some questions, in the way that there is.
    pub(super) async fn ask<Q: Questions<'a>>(self, questions: Q) -> Result<Q::Answers, InputError> {
        if self.ask.way() == Way::Closed {
            return Err(InputError::NoWay);
        }
        let mut undeclared = None;
        questions.each(&mut |question| {
            let needs = question.kind.needs();
            if !self.client_can(needs) {
                undeclared.get_or_insert(needs);
            }
        });
        if let Some(capability) = undeclared {
            return Err(InputError::Undeclared(capability));
        }
        let mut held = match self.ask.way() {
            Way::Again => self.find(&questions).await?,
            Way::Send => self.wait(&questions, true).await?,
            Way::Hold | Way::Closed => self.wait(&questions, false).await?,
        };
        // Strings are unescaped in the transmit buffer.
        self.out.idle().await;
        questions.read(&mut held)
    }

    // 2026-07-28: the answers came with the request; or the handler ends here, and the client comes again.
    async fn find(self, questions: &impl Questions<'a>) -> Result<Held<'a>, InputError> {
        let mut held = Held::new(self.ask, self.out);
        let mut found = Ok(true);
        questions.each(&mut |question| match self.ask.find(question) {
            Some(ticket) => found = held.push(ticket).and(found),
            None => found = found.map(|_| false),
        });
        if found? {
            let mut used = Ok(());
            questions.each(&mut |question| used = used.and_then(|()| self.ask.used(Keyed::Question, question.key)));
            return used.map(|()| held);
        }
        self.ask.check_state()?;
        let written = self
            .out
            .replace(self.begin, |w| {
                rpc::begin_result(w, self.request.id());
                w.str(r#"{"resultType":"input_required","inputRequests":{"#);
                let mut comma = "";
                questions.each(&mut |question| {
                    if self.ask.find(question).is_none() {
                        w.str(comma);
                        self.ask.write_key(question, w);
                        w.str(":{");
                        question.write(w, None);
                        w.str("}");
                        comma = ",";
                    }
                });
                w.str("}");
                self.ask.write_state(w);
                w.str("}}");
            })
            .await;
        if !written {
            return Err(InputError::NoWay);
        }
        // Whoever runs the handler drops it now, also one that waits for something else besides, and goes on.
        self.ask.end_pass();
        pending().await
    }

    // Puts the questions and waits for all answers.
    async fn wait(self, questions: &impl Questions<'a>, send: bool) -> Result<Held<'a>, InputError> {
        let mut held = Held::new(self.ask, self.out);
        let mut opened = Ok(());
        questions.each(&mut |question| {
            if opened.is_ok() {
                opened = self.ask.open(question).and_then(|ticket| held.push(ticket));
            }
        });
        opened?;
        for (at, ticket) in held.tickets().enumerate().filter(|_| send) {
            self.send(questions, at, ticket).await?;
        }
        for ticket in held.tickets() {
            let answer = loop {
                let answer = poll_fn(|cx| {
                    if let Some(missed) = held.tickets().position(|ticket| self.ask.poll_missed(cx, ticket)) {
                        return Poll::Ready(Err(missed));
                    }
                    match self.ask.poll_answer(cx, ticket) {
                        Poll::Pending if self.out.is_gone(cx) => Poll::Ready(Ok(Err(InputError::Gone))),
                        answer => answer.map(Ok),
                    }
                });
                match answer.await {
                    Ok(answer) => break answer,
                    Err(missed) => {
                        let Some(ticket) = held.tickets().nth(missed) else { continue };
                        self.send(questions, missed, ticket).await?;
                    }
                }
            };
            if answer == Err(InputError::TimedOut) && send {
                // The client need not show it any longer.
                self.out.notify(|w| self.write_cancel(ticket, w)).await;
            }
            answer?;
        }
        Ok(held)
    }

    // Sends the question at this place.
    async fn send(self, questions: &impl Questions<'a>, at: usize, ticket: Ticket) -> Result<(), InputError> {
        if !self.out.notify(|w| self.write_request(questions, at, ticket, w)).await {
            return Err(self.why_not().await);
        }
        self.ask.sent(ticket, self.out.events());
        Ok(())
    }

    // Why a question could not be sent.
    async fn why_not(self) -> InputError {
        match poll_fn(|cx| Poll::Ready(self.out.is_gone(cx))).await {
            true => InputError::Gone,
            false if self.out.can_notify() => InputError::TooLarge,
            false => InputError::NoWay,
        }
    }

    fn write_request(self, questions: &impl Questions<'a>, at: usize, ticket: Ticket, w: &mut Writer<'_>) {
        let mut place = 0;
        questions.each(&mut |question| {
            if place == at {
                w.str(r#"{"jsonrpc":"2.0","id":"#);
                self.ask.write_id(ticket, w);
                w.str(",");
                question.write(w, Some(&|w| self.ask.write_id(ticket, w)));
                w.str("}");
            }
            place += 1;
        });
    }

    fn write_cancel(self, ticket: Ticket, w: &mut Writer<'_>) {
        w.str(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#);
        self.ask.write_id(ticket, w);
        w.str(r#","reason":"the server waited long enough"}}"#);
    }

    // Runs what has an effect, or gives what it gave in an earlier pass.
    async fn once<T: Serialize + DeserializeOwned>(
        self,
        key: &str,
        make: impl Future<Output = T>,
    ) -> Result<T, InputError> {
        if let Some(ticket) = self.ask.kept(key) {
            self.out.idle().await;
            let mut read = Err(InputError::Gone);
            self.ask.read(ticket, &mut |raw| {
                let value = self.out.lend(|scratch| json::from_raw(raw, scratch));
                read = value.and_then(Result::ok).ok_or(InputError::Invalid);
            });
            self.ask.used(Keyed::Kept, key)?;
            return read;
        }
        self.ask.makes();
        let value = make.await;
        let wrong = json::check(&value).is_err();
        self.ask.keep(key, &|w| {
            // It was checked just above.
            let _ = json::write(&value, w);
        })?;
        self.ask.used(Keyed::Kept, key)?;
        if wrong { Err(InputError::Invalid) } else { Ok(value) }
    }
}

/// Answers that the client did not declare what the call needs (2026-07-28).
pub(in crate::app) async fn missing_capability(out: Out<'_>, request: &Request<'_>, missing: Capability) {
    out.set_bad_request();
    let message = InputError::Undeclared(missing).text();
    let data = |w: &mut Writer<'_>| missing.write_required(w);
    out.write(|w| rpc::error_with(w, request.id(), Code::MISSING_CAPABILITY, message, data)).await;
}

macro_rules! face {
    ($($Call:ident)*) => {
        $(
            impl<'a> $Call<'a> {
                /// Shows the user a form with the fields of `T`, a struct that [`args!`](crate::args) declares, and waits for it to be filled in.
                ///
                /// `key` names the question among those of the call: its answer is known by it. One that is put again under the same key, such as a
                /// form that was filled in wrongly, is another question. In 2026-07-28 the handler ends here for now, as if it had been
                /// cancelled, and runs again from its top when the client has the answer: what has an effect comes after the last
                /// question, or goes through [`once`](Self::once).
                ///
                /// # Errors
                /// There is no answer, for the reason that [`InputError`] tells.
                pub async fn elicit<T: Arg<'static> + DeserializeOwned>(
                    &mut self,
                    key: &str,
                    message: &str,
                ) -> Result<Elicited<T>, InputError> {
                    self.asker().ask(Elicit::new(key, message)).await
                }

                /// Shows the user a form whose schema is written by hand (`requestedSchema`, JSON).
                ///
                /// # Errors
                /// As [`elicit`](Self::elicit).
                pub async fn elicit_json(
                    &mut self,
                    key: &str,
                    message: &str,
                    schema: &str,
                ) -> Result<Elicited<Content<'a>>, InputError> {
                    self.asker().ask(ElicitJson::new(key, message, schema)).await
                }

                /// Asks the user to open a web page. `Accepted` says that the user agreed, not what happened there.
                ///
                /// # Errors
                /// As [`elicit`](Self::elicit).
                pub async fn elicit_url(
                    &mut self,
                    key: &str,
                    message: &str,
                    url: &str,
                ) -> Result<Elicited<()>, InputError> {
                    self.asker().ask(ElicitUrl::new(key, message, url)).await
                }

                /// Asks the client's model.
                ///
                /// # Errors
                /// As [`elicit`](Self::elicit).
                pub async fn sample(&mut self, key: &str, sampling: Sampling<'_>) -> Result<Sampled<'a>, InputError> {
                    self.asker().ask(Sample::new(key, sampling)).await
                }

                /// Asks the client for the folders that it works in.
                ///
                /// # Errors
                /// As [`elicit`](Self::elicit).
                pub async fn roots(&mut self, key: &str) -> Result<Roots<'a>, InputError> {
                    self.asker().ask(ListRoots::new(key)).await
                }

                /// Asks several questions at once: a tuple of them, up to six. Each takes a place of its own in older revisions, where a server
                /// that has fewer ([`Config::inputs`](crate::Config::inputs)) can't ask them at once: [`InputError::Full`].
                ///
                /// # Errors
                /// As [`elicit`](Self::elicit).
                pub async fn ask<Q: Questions<'a>>(&mut self, questions: Q) -> Result<Q::Answers, InputError> {
                    self.asker().ask(questions).await
                }

                /// Runs what must happen once in a call that asks: in 2026-07-28 its value travels with the question, signed but readable
                /// for the client, and is not made again when the handler is run again. In older revisions, and in tasks, it just runs. `key` names it
                /// among those of the call; what is run again under the same key is another one.
                ///
                /// # Errors
                /// [`InputError::TooLarge`] or [`InputError::Invalid`]: the value can't be kept.
                pub async fn once<T: Serialize + DeserializeOwned>(
                    &mut self,
                    key: &str,
                    make: impl Future<Output = T>,
                ) -> Result<T, InputError> {
                    self.asker().once(key, make).await
                }

                /// Whether the client declared that it can do this.
                pub fn client_can(&self, capability: Capability) -> bool {
                    self.asker().client_can(capability)
                }
            }
        )*
    };
}

face! { Call Reading Prompting }
