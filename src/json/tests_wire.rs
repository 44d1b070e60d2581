//! The texts of `tests/wire`: both ways to scan say the same of each, and none is JSON in part.

use super::tests_paths::{Nobody, scan};
use super::validate;

#[path = "../../tests/wire/texts.rs"]
mod texts;

#[test]
fn the_texts_of_the_wire() {
    let texts = texts::texts(include_str!("../../tests/wire/cases/json.txt"));
    for text in &texts {
        let told = || format!("json.txt:{} ({}): {}", text.line, text.section, text.bytes.escape_ascii());
        let read_only = validate(&text.bytes);
        assert_eq!(read_only.is_ok(), text.is_json, "{}", told());
        assert_eq!(scan(&mut text.bytes.clone(), &mut Nobody), read_only, "{}", told());
        for cut in (0..text.bytes.len()).filter(|cut| text.is_json && text.bytes.len() < 999 || cut % 997 == 0) {
            // A number is the one thing that does not say where it ends: in an array it does.
            let open = [b"[", &text.bytes[..cut]].concat();
            assert!(validate(&open).is_err(), "cut at {cut}: {}", told());
        }
    }
}
