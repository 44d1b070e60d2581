//! Input from the client, in the middle of a call: forms and pages for its user (elicitation), its model (sampling), its folders (roots). One
//! handler serves both eras (DESIGN D9):
//!
//! ```text
//!                        ┌ Again  2026-07-28: `input_required`; the handler is dropped here, and runs again with the answers
//! call.elicit(..).await ─┼ Send   older: a request on the call's stream; the handler waits
//!                        └ Hold   a task: the question is shown by `tasks/get`; the handler waits
//! ```
//! Who brings the questions to the client is an [`Ask`].

mod answer;
mod ask;
mod confirm;
mod error;
mod face;
mod question;

pub use answer::{Content, Elicited, Root, Roots, Sampled};
pub(crate) use ask::Kind as QuestionKind;
pub(crate) use ask::{Ask, Keyed, Nobody, Question, Ticket, Way, pass};
pub use confirm::confirm_tool;
pub(crate) use confirm::is_yes;
pub use error::{Capability, InputError};
pub(in crate::app) use face::{Asker, missing_capability};
pub use question::{Elicit, ElicitJson, ElicitUrl, ListRoots, Questions, Sample, Sampling};

use crate::limits::{FORM_DEFAULTS_BYTES_MAX, QUESTIONS_MAX, REASON_BYTES_MAX};
