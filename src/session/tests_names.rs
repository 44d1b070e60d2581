//! Revisions, log levels, keys and principals.

use super::{Key, LogLevel, PrincipalId, Revision, equal_in_constant_time};

#[test]
fn revisions_are_read_as_they_are_written_and_ordered_in_time() {
    for revision in Revision::ALL {
        assert_eq!(Revision::parse(revision.as_str().as_bytes()), Some(revision));
        assert_eq!(revision.to_string(), revision.as_str());
    }
    assert!(Revision::ALL.is_sorted_by(|a, b| a < b));
    for wrong in ["", "2025-11-2", "2025-11-25 ", "2025-11-250", "1900-01-01", "2025_11_25", "draft"] {
        assert_eq!(Revision::parse(wrong.as_bytes()), None, "{wrong}");
    }
    assert_eq!(Revision::ALL.map(Revision::is_modern), [false, false, false, false, true]);
}

#[test]
fn initialize_is_answered_with_the_revision_asked_for_or_the_latest_legacy_one() {
    let table = [
        ("2024-11-05", Revision::V2024_11_05),
        ("2025-03-26", Revision::V2025_03_26),
        ("2025-06-18", Revision::V2025_06_18),
        ("2025-11-25", Revision::V2025_11_25),
        ("2026-07-28", Revision::V2025_11_25),
        ("1900-01-01", Revision::V2025_11_25),
        ("2099-01-01", Revision::V2025_11_25),
        ("", Revision::V2025_11_25),
    ];
    for (requested, answered) in table {
        assert_eq!(Revision::for_initialize(requested.as_bytes()), answered, "{requested}");
    }
}

#[test]
fn log_levels_are_those_of_rfc_5424() {
    for level in LogLevel::ALL {
        assert_eq!(LogLevel::parse(level.as_str().as_bytes()), Some(level));
        assert_eq!(level.to_string(), level.as_str());
    }
    assert!(LogLevel::ALL.is_sorted_by(|a, b| a < b));
    for wrong in ["", "warn", "Info", "debug ", "fatal", "0"] {
        assert_eq!(LogLevel::parse(wrong.as_bytes()), None, "{wrong}");
    }
}

#[test]
fn a_tag_is_hmac_sha256_and_bound_to_its_purpose() {
    let key = Key::new([0x0b; 32]);
    let whole = hmac_sha256::HMAC::mac(b"purpose\0body", [0x0b; 32]);
    assert_eq!(key.tag(b"purpose", &[b"bo", b"dy"]), whole[..16]);
    assert_ne!(key.tag(b"purpose", &[b"body"]), key.tag(b"purposeb", &[b"ody"]));
    assert_ne!(key.tag(b"purpose", &[b"body"]), Key::new([0x0c; 32]).tag(b"purpose", &[b"body"]));
}

#[test]
fn secrets_are_compared_whole_and_never_shown() {
    let secret = [0xa5_u8; 16];
    assert!(equal_in_constant_time(&secret, &secret));
    for byte in 0..16 {
        for bit in 0..8 {
            let mut other = secret;
            other[byte] ^= 1 << bit;
            assert!(!equal_in_constant_time(&secret, &other));
        }
    }
    assert_eq!(format!("{:?}", Key::new([0xa5; 32])), "Key(..)");
    assert_eq!(format!("{:?}", PrincipalId::ANYONE), "Principal(anyone)");
    assert_eq!(format!("{:?}", PrincipalId::of_token_hash(&[0xa5; 32])), "Principal(of a token)");
}
