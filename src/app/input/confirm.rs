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
use crate::json::{Kind as JsonKind, Value, Writer};
use crate::limits::CONFIRM_ARGUMENTS_CHARS_MAX;

/// What the questions of a call are named by, and what is kept of them. No author's key begins so.
const KEY: &str = "smol:confirm";
/// What is kept for a task that a confirmed call becomes.
const CONFIRMED: &str = "smol:confirmed";

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
    let mut rest = name.chars();
    let begins_so = CONFIRMED.chars().all(|character| rest.next() == Some(character));
    // The first, or `#2` and so on.
    let is_numbered = match rest.next() {
        None => true,
        Some(sign) => sign == '#' && rest.all(|character| character.is_ascii_digit()),
    };
    begins_so && is_numbered && value.as_u64() == Some(words)
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
            // A client that shows no box, but asks for a yes or no, may leave it out. What comes twice can be read in two ways, and is no yes.
            let ticked = answer.with(|answer| match answer.get("content") {
                Some(content) if content.has(FIELD) => content.get(FIELD).and_then(Value::as_bool) == Some(true),
                Some(content) => content.kind() == JsonKind::Object,
                None => !answer.has("content"),
            });
            ticked.ok_or(InputError::Gone)
        })
    }
}

/// The box.
const FIELD: &str = "confirm";

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
        let mut arguments = without_space(str::from_utf8(self.arguments.raw()).unwrap_or_default());
        for character in arguments.by_ref().take(CONFIRM_ARGUMENTS_CHARS_MAX) {
            f.write_char(if is_deceptive(character) { '\u{fffd}' } else { character })?;
        }
        f.write_str(if arguments.next().is_some() { " ... (there is more, which is not shown)" } else { "" })
    }
}

// A JSON text but for the white space between its parts, which could push a member out of sight.
fn without_space(json: &str) -> impl Iterator<Item = char> {
    let (mut is_string, mut is_escaped) = (false, false);
    json.chars().filter(move |character| {
        match character {
            '"' if !is_escaped => is_string = !is_string,
            ' ' | '\t' | '\n' | '\r' if !is_string => return false,
            _ => {}
        }
        is_escaped = is_string && *character == '\\' && !is_escaped;
        true
    })
}

// What people don't see, or what makes them see something else than what stands there: control characters, those that turn the direction, tags,
// selectors of variants (but the one of emoji), fillers, joiners, and the marks of annotations.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        )
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}')
        || matches!(character, '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &str) -> String {
        ToolWords { question: "Do it?", arguments: Value::new(arguments.as_bytes()) }.to_string()
    }

    #[test]
    fn white_space_pushes_nothing_out_of_sight() {
        let spaces = " \t\r\n".repeat(1_000);
        let json =
            format!("{{{spaces}\"a\"{spaces}:{spaces}\"x  \\\\\"{spaces},{spaces}\"b \\\" c\" : [ 1 , 2 ]{spaces}}}");
        assert_eq!(
            shown(&json),
            r#"Do it?
{"a":"x  \\","b \" c":[1,2]}"#
        );
    }

    #[test]
    fn what_is_not_seen_is_shown_as_such() {
        for character in
            ['\u{e0041}', '\u{fe01}', '\u{3164}', '\u{115f}', '\u{1160}', '\u{ffa0}', '\u{34f}', '\u{fffa}', '\u{202e}']
        {
            assert_eq!(shown(&format!("{{\"a\":\"x{character}y\"}}")), "Do it?\n{\"a\":\"x\u{fffd}y\"}");
        }
        assert_eq!(shown("{\"a\":\"\u{2764}\u{fe0f}\"}"), "Do it?\n{\"a\":\"\u{2764}\u{fe0f}\"}");
    }

    #[test]
    fn a_yes_has_its_name_and_its_words() {
        let is =
            |name: &str, value: &str| is_yes(crate::json::Text::new(name.as_bytes()), Value::new(value.as_bytes()), 7);
        assert!(is("smol:confirmed", "7") && is("smol:confirmed#2", "7") && is("smol:confirmed#12", "7"));
        for (name, value) in [
            ("smol:confirmed", "8"),
            ("smol:confirmedly", "7"),
            ("smol:confirmed2", "7"),
            ("confirmed", "7"),
            ("smol:confirme", "7"),
        ] {
            assert!(!is(name, value), "{name} {value}");
        }
    }
}
