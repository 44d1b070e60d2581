//! Questions, as an author writes them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Content, Elicited, Held, Roots, Sampled};
use super::ask::{Kind, Question, WriteId};
use super::{FORM_DEFAULTS_BYTES_MAX, InputError, REASON_BYTES_MAX};
use crate::app::{Arg, Schema, validate};
use crate::json::{self, TypedError, Value, Writer};

/// A question to the client, or a tuple of several that are asked at once: [`Elicit`], [`ElicitJson`], [`ElicitUrl`], [`Sample`], [`ListRoots`].
pub trait Questions<'a>: sealed::Sealed {
    /// What the answers are read into.
    type Answers;

    /// Shows each question.
    #[doc(hidden)]
    fn each(&self, see: &mut dyn FnMut(&Question<'_>));

    /// Reads the answers.
    #[doc(hidden)]
    fn read(&self, held: &mut Held<'a>) -> Result<Self::Answers, InputError>;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// A form for the user, whose fields are those of `T`: a struct that [`args!`](crate::args) declares, of texts, numbers, booleans, enums, and
/// arrays of enums.
///
/// ```compile_fail,E0080
/// smol_mcp::args! { struct Deep { inner: Inner } struct Inner { x: u8 } }
/// let _ = smol_mcp::Elicit::<Deep>::new("deep", "Clients have no form for this");
/// ```
/// The answer is an [`Elicited<T>`](Elicited). Never ask for secrets in a form: what is filled in passes through the client; that is what
/// [`ElicitUrl`] is for.
pub struct Elicit<'q, T> {
    key: &'q str,
    message: &'q str,
    filled: Option<(&'q T, Render<T>)>,
}

type Render<T> = fn(&T, &mut Writer<'_>) -> Result<(), TypedError>;

impl<'q, T: Arg<'static> + DeserializeOwned> Elicit<'q, T> {
    const FORM: () =
        assert!(is_form(&T::SCHEMA), "a form is a struct of texts, numbers, booleans, enums and arrays of enums");

    /// A form with this message above it. `key` names the question: other questions of the call have others.
    pub const fn new(key: &'q str, message: &'q str) -> Self {
        let () = Self::FORM;
        Self { key, message, filled: None }
    }

    /// The form is filled in with this when the user first sees it (`default`; MCP 2025-11-25 and later, others ignore it). `T` is one that
    /// [`output!`](crate::output) declares.
    #[must_use]
    pub fn filled(mut self, value: &'q T) -> Self
    where
        T: Serialize,
    {
        self.filled = Some((value, |value, w| json::write(value, w)));
        self
    }

    fn write(&self, w: &mut Writer<'_>) {
        let Schema::Object(fields) = T::SCHEMA else { return };
        let mut buf = [0; FORM_DEFAULTS_BYTES_MAX];
        let mut defaults = Writer::new(&mut buf);
        let written = self.filled.is_some_and(|(value, render)| render(value, &mut defaults).is_ok());
        let length = if written && defaults.is_complete() { defaults.written() } else { 0 };
        let defaults = Value::new(buf.get(..length).unwrap_or_default());
        w.str(r#"{"message":"#).string(self.message).str(r#","requestedSchema":"#);
        Schema::write_form(fields, defaults, w);
        w.str("}");
    }
}

impl<T> sealed::Sealed for Elicit<'_, T> {}

impl<'a, T: Arg<'static> + DeserializeOwned> Questions<'a> for Elicit<'_, T> {
    type Answers = Elicited<T>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        see(&Question { key: self.key, kind: Kind::Form, params: &|w, _| self.write(w) });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Elicited<T>, InputError> {
        let answer = held.take()?;
        answer.elicited(Kind::Form)?.try_map(|()| {
            let read = answer.with(|answer| {
                let content = answer.get("content").unwrap_or(Value::new(b"{}"));
                // What does not fit is left out.
                let mut reason = heapless::String::<REASON_BYTES_MAX>::new();
                if validate::validate(&T::SCHEMA, content, &mut reason).is_err() {
                    log::debug!("the answer to {:?} does not fit its form: {reason}", self.key);
                    return Err(InputError::Invalid);
                }
                let typed = held.with_scratch(|scratch| json::from_raw(content.raw(), scratch));
                typed.unwrap_or(Err(TypedError::ScratchFull)).map_err(|error| match error {
                    TypedError::ScratchFull => InputError::TooLarge,
                    _ => InputError::Invalid,
                })
            });
            read.unwrap_or(Err(InputError::Gone))
        })
    }
}

const fn is_form(schema: &Schema) -> bool {
    let Schema::Object(fields) = schema else { return false };
    let mut at = 0;
    while at < fields.len() {
        match &fields[at].schema {
            Schema::Array { items: Schema::Enum(_), .. } => {}
            Schema::Array { .. } | Schema::Object(_) | Schema::Verbatim(_) => return false,
            _ => {}
        }
        at += 1;
    }
    true
}

/// A form whose schema is written by hand, in the part of JSON Schema that the protocol has for forms (`requestedSchema`).
///
/// The answer is an [`Elicited<Content>`](Elicited), whose content was not held against the schema.
pub struct ElicitJson<'q> {
    key: &'q str,
    message: &'q str,
    schema: &'q str,
}

impl<'q> ElicitJson<'q> {
    /// A form with this message above it. `schema` must be JSON: an object with `type`, `properties` and `required`.
    pub const fn new(key: &'q str, message: &'q str, schema: &'q str) -> Self {
        Self { key, message, schema }
    }
}

impl sealed::Sealed for ElicitJson<'_> {}

impl<'a> Questions<'a> for ElicitJson<'_> {
    type Answers = Elicited<Content<'a>>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        let params = |w: &mut Writer<'_>, _: WriteId<'_>| {
            w.str(r#"{"message":"#).string(self.message).str(r#","requestedSchema":"#);
            w.flat(self.schema.as_bytes()).str("}");
        };
        see(&Question { key: self.key, kind: Kind::Form, params: &params });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Self::Answers, InputError> {
        let answer = held.take()?;
        answer.elicited(Kind::Form)?.try_map(|()| Ok(Content(answer)))
    }
}

/// A web page for the user to open, where secrets can be told that the client must not see. The answer is an [`Elicited<()>`](Elicited): whether
/// the user agreed to open it, not what happened there.
pub struct ElicitUrl<'q> {
    key: &'q str,
    message: &'q str,
    url: &'q str,
}

impl<'q> ElicitUrl<'q> {
    /// A page, with the reason why to open it.
    pub const fn new(key: &'q str, message: &'q str, url: &'q str) -> Self {
        Self { key, message, url }
    }
}

impl sealed::Sealed for ElicitUrl<'_> {}

impl<'a> Questions<'a> for ElicitUrl<'_> {
    type Answers = Elicited<()>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        let params = |w: &mut Writer<'_>, id: WriteId<'_>| {
            w.str(r#"{"mode":"url","message":"#).string(self.message).str(r#","url":"#).string(self.url);
            if let Some(write_id) = id {
                w.str(r#","elicitationId":"#);
                write_id(w);
            }
            w.str("}");
        };
        see(&Question { key: self.key, kind: Kind::Url, params: &params });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Elicited<()>, InputError> {
        held.take()?.elicited(Kind::Url)
    }
}

/// What the client's model is asked (`sampling/createMessage`).
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'q> {
    prompt: Prompt<'q>,
    system: Option<&'q str>,
    max_tokens: u32,
    temperature: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Prompt<'q> {
    Text(&'q str),
    Json(&'q str),
}

impl<'q> Sampling<'q> {
    /// A text of the user. The answer has at most 1,000 tokens, where [`max_tokens`](Self::max_tokens) says nothing else.
    pub const fn text(prompt: &'q str) -> Self {
        Self { prompt: Prompt::Text(prompt), system: None, max_tokens: 1_000, temperature: None }
    }

    /// A conversation: JSON text of an array of messages (`SamplingMessage`).
    pub const fn messages_json(messages: &'q str) -> Self {
        Self { prompt: Prompt::Json(messages), ..Self::text("") }
    }

    /// What the model should know before (`systemPrompt`).
    #[must_use]
    pub const fn system(self, system: &'q str) -> Self {
        Self { system: Some(system), ..self }
    }

    /// The most tokens of the answer.
    #[must_use]
    pub const fn max_tokens(self, max_tokens: u32) -> Self {
        Self { max_tokens, ..self }
    }

    /// How freely the model answers.
    #[must_use]
    pub const fn temperature(self, temperature: f64) -> Self {
        Self { temperature: Some(temperature), ..self }
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.str(r#"{"messages":"#);
        match self.prompt {
            Prompt::Text(text) => {
                w.str(r#"[{"role":"user","content":{"type":"text","text":"#).string(text).str("}}]");
            }
            Prompt::Json(messages) => {
                w.flat(messages.as_bytes());
            }
        }
        if let Some(system) = self.system {
            w.str(r#","systemPrompt":"#).string(system);
        }
        if let Some(temperature) = self.temperature.filter(|temperature| temperature.is_finite()) {
            w.str(r#","temperature":"#).float(temperature);
        }
        w.str(r#","maxTokens":"#).uint(u64::from(self.max_tokens)).str("}");
    }
}

/// A question to the client's model. The answer is [`Sampled`].
pub struct Sample<'q> {
    key: &'q str,
    sampling: Sampling<'q>,
}

impl<'q> Sample<'q> {
    /// What is asked, by its name.
    pub const fn new(key: &'q str, sampling: Sampling<'q>) -> Self {
        Self { key, sampling }
    }
}

impl sealed::Sealed for Sample<'_> {}

impl<'a> Questions<'a> for Sample<'_> {
    type Answers = Sampled<'a>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        see(&Question { key: self.key, kind: Kind::Sampling, params: &|w, _| self.sampling.write(w) });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Sampled<'a>, InputError> {
        let answer = held.take()?;
        answer.check(Kind::Sampling)?;
        Ok(Sampled(answer))
    }
}

/// The question which folders the client works in. The answer is [`Roots`].
pub struct ListRoots<'q>(&'q str);

impl<'q> ListRoots<'q> {
    /// The question, by its name.
    pub const fn new(key: &'q str) -> Self {
        Self(key)
    }
}

impl sealed::Sealed for ListRoots<'_> {}

impl<'a> Questions<'a> for ListRoots<'_> {
    type Answers = Roots<'a>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        let params = |w: &mut Writer<'_>, _: WriteId<'_>| {
            w.str("{}");
        };
        see(&Question { key: self.0, kind: Kind::Roots, params: &params });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Roots<'a>, InputError> {
        let answer = held.take()?;
        answer.check(Kind::Roots)?;
        Ok(Roots(answer))
    }
}

macro_rules! tuples {
    ($(($($Q:ident $at:tt),+))+) => {
        $(
            impl<$($Q: sealed::Sealed),+> sealed::Sealed for ($($Q,)+) {}

            impl<'a, $($Q: Questions<'a>),+> Questions<'a> for ($($Q,)+) {
                type Answers = ($($Q::Answers,)+);

                fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
                    $(self.$at.each(see);)+
                }

                fn read(&self, held: &mut Held<'a>) -> Result<Self::Answers, InputError> {
                    Ok(($(self.$at.read(held)?,)+))
                }
            }
        )+
    };
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
