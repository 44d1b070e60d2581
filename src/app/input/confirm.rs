//! Confirmation: nothing dangerous runs before the user has said yes, in the words of the server, in every revision.
//!
//! A yes is good for one run of what was asked about, and for nothing else:
//! - 2026-07-28: the state that travels with the question is good for one tool, one set of arguments and one caller; it holds a hash of the words
//!   that the user reads, and a slip that is spent when the answer is used. An answer that comes unasked is not looked at.
//! - Older revisions, and tasks: the call waits for the answer to its own question.

use core::fmt::{self, Write as _};

use hmac_sha256::Hash;

use super::answer::{Elicited, Held};
use super::ask::{Keyed, Kind, Question, Way};
use super::question::{Questions, sealed};
use super::{Asker, InputError};
use crate::app::call::Door;
use crate::app::{Call, ToolError};
use crate::json::{Value, Writer};
use crate::limits::CONFIRM_ARGUMENTS_CHARS_MAX;

/// What the questions of a call are named by, and what is kept of them.
const KEY: &str = "confirm";
/// What is kept for a task that a confirmed call becomes.
const CONFIRMED: &str = "confirmed";

impl Call<'_> {
    /// Asks the user before something dangerous is done. It goes on only after a yes, and a
    /// yes lets it go on once. The words should say all that will happen: the user sees nothing else. They are formatted more than once, and must
    /// say the same each time. `#[confirm("..")]` of [`tools!`](crate::tools) does it for a whole tool.
    ///
    /// In 2026-07-28 the handler runs again from its top after the answer, as with [`elicit`](Self::elicit). Where its words have changed by then, the
    /// user is asked again.
    /// ```
    /// use smol_mcp::{Call, ToolResult, args, tools};
    ///
    /// args! { struct Disk { name: String } }
    ///
    /// struct Board;
    ///
    /// tools! {
    ///     impl Board {
    ///         /// Switches the board off.
    ///         #[destructive]
    ///         #[confirm("Switch it off? Nobody can switch it on from afar.")]
    ///         async fn power_off(&self, call: &mut Call<'_>) -> ToolResult {
    ///             call.text("off").await
    ///         }
    ///
    ///         /// Erases a disk.
    ///         #[destructive]
    ///         async fn erase(&self, call: &mut Call<'_>, args: Disk) -> ToolResult {
    ///             let files = 17;
    ///             if files > 0 {
    ///                 call.confirm(format_args!("Erase the {files} files of {}?", args.name)).await?;
    ///             }
    ///             call.text("erased").await
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The user said no ([`InputError::Declined`], [`InputError::Cancelled`]), or can't be asked: [`InputError::Undeclared`] where the client has
    /// no forms. `?` tells the model.
    pub async fn confirm(&mut self, words: impl fmt::Display) -> Result<(), InputError> {
        let becomes_task = matches!(self.context.door, Door::Open { .. });
        self.asker().confirm(&words, becomes_task).await
    }
}

/// Asks the user whether a tool may run, with its arguments.
///
/// # Errors
/// As [`Call::confirm`].
pub async fn confirm_tool(call: &mut Call<'_>, question: &str) -> Result<(), ToolError> {
    let words = ToolWords { question, arguments: call.arguments() };
    let becomes_task = matches!(call.context.door, Door::Open { .. });
    Ok(call.asker().confirm(&words, becomes_task).await?)
}

impl Asker<'_> {
    async fn confirm(self, words: &dyn fmt::Display, becomes_task: bool) -> Result<(), InputError> {
        let hash = hash(words);
        if self.ask.is_confirmed(hash) {
            return Ok(());
        }
        if self.ask.way() == Way::Again {
            self.note(hash)?;
        }
        let answer = self.ask(Confirmation { words, hash }).await?;
        self.ask.used(Keyed::Kept, KEY)?;
        // A no, too, is not to be followed by a yes to the same question.
        self.ask.spend()?;
        match answer {
            Elicited::Accepted(true) => {}
            Elicited::Accepted(false) | Elicited::Declined => return Err(InputError::Declined),
            Elicited::Cancelled => return Err(InputError::Cancelled),
        }
        if becomes_task {
            // For the task, whose handler begins anew.
            while self.ask.kept(CONFIRMED).is_some() {
                self.ask.used(Keyed::Kept, CONFIRMED)?;
            }
            self.keep(CONFIRMED, hash)?;
            self.ask.used(Keyed::Kept, CONFIRMED)?;
        }
        Ok(())
    }

    // Keeps what will have been asked, if it was not yet. What was asked in other words is another question.
    fn note(self, hash: u64) -> Result<(), InputError> {
        while let Some(asked) = self.ask.kept(KEY) {
            let mut same = false;
            self.ask.read(asked, &mut |asked| same = Value::new(asked).as_u64() == Some(hash));
            if same {
                return Ok(());
            }
            self.ask.used(Keyed::Kept, KEY)?;
            self.ask.used(Keyed::Question, KEY)?;
        }
        self.keep(KEY, hash)
    }

    fn keep(self, key: &str, hash: u64) -> Result<(), InputError> {
        self.ask.keep(key, &|w| {
            w.uint(hash);
        })
    }
}

/// Whether a member that a call kept before it became a task is a yes to these words.
pub(crate) fn is_yes(name: crate::json::Text<'_>, value: Value<'_>, words: u64) -> bool {
    // The first, or `confirmed#2` and so on.
    let is_confirmed = name.chars().take(CONFIRMED.len()).eq(CONFIRMED.chars());
    is_confirmed && value.as_u64() == Some(words)
}

/// The question.
struct Confirmation<'q> {
    words: &'q dyn fmt::Display,
    hash: u64,
}

impl sealed::Sealed for Confirmation<'_> {}

impl<'a> Questions<'a> for Confirmation<'_> {
    /// Whether the box is ticked.
    type Answers = Elicited<bool>;

    fn each(&self, see: &mut dyn FnMut(&Question<'_>)) {
        let params = |w: &mut Writer<'_>, _: super::ask::WriteId<'_>| {
            w.str(r#"{"message":""#)
                .escaped_fmt(format_args!("{}", self.words))
                .str(r#"","requestedSchema":"#)
                .str(FORM);
        };
        see(&Question { key: KEY, kind: Kind::Confirm(self.hash), params: &params });
    }

    fn read(&self, held: &mut Held<'a>) -> Result<Elicited<bool>, InputError> {
        let answer = held.take()?;
        answer.elicited(Kind::Confirm(self.hash))?.try_map(|()| {
            // A client that shows no box, but asks for a yes or no, may leave it out.
            let ticked = answer.with(|answer| match answer.get("content").and_then(|content| content.get(KEY)) {
                Some(ticked) => ticked.as_bool() == Some(true),
                None => true,
            });
            ticked.ok_or(InputError::Gone)
        })
    }
}

/// Some clients show nothing that could be sent off where a form has no fields.
const FORM: &str = r#"{"type":"object","properties":{"confirm":{"type":"boolean","title":"Do it","default":true}}}}"#;

/// The words about a tool: the author's, and below them the arguments that it will have.
struct ToolWords<'w> {
    question: &'w str,
    arguments: Value<'w>,
}

impl fmt::Display for ToolWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.question)?;
        if self.arguments.members().next().is_none() {
            return Ok(());
        }
        f.write_str("\n")?;
        // Every request was found to be UTF-8 before.
        let mut arguments = str::from_utf8(self.arguments.raw()).unwrap_or_default().chars();
        for character in arguments.by_ref().take(CONFIRM_ARGUMENTS_CHARS_MAX) {
            f.write_char(if is_deceptive(character) { '\u{fffd}' } else { character })?;
        }
        f.write_str(if arguments.next().is_some() { " ... (there is more, which is not shown)" } else { "" })
    }
}

// What people don't see, or what makes them see something else than what stands there: control characters, and those that turn the direction.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

// Of what the user reads, so that a yes to other words is no yes to these.
fn hash(words: &dyn fmt::Display) -> u64 {
    let mut digest = Digest(Hash::new());
    // It takes all.
    let _ = write!(digest, "{words}");
    digest.0.finalize().first_chunk().copied().map_or(0, u64::from_be_bytes)
}

struct Digest(Hash);

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}
