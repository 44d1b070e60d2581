use super::*;
use crate::limits::PRINCIPAL_NAME_BYTES_MAX;

fn entry(outcome: AuditOutcome, target: &'static str) -> AuditEntry {
    AuditEntry {
        number: 0,
        unix_s: 1_800_000_000,
        uptime_ms: 1_234,
        who: heapless::String::try_from("kitchen").unwrap(),
        household: Some(Household::of("192.0.2.7".parse().unwrap())),
        method: "tools/call",
        target,
        outcome,
        took_ms: 7,
        times: 1,
    }
}

fn all(ring: &Ring) -> Vec<(u64, &'static str, u32)> {
    let (mut number, mut all) = (u64::MAX, Vec::new());
    while let Some(entry) = ring.before(number) {
        number = entry.number;
        all.push((number, entry.target, entry.times));
    }
    all
}

#[test]
fn the_oldest_makes_room_and_refusals_do_not_push_out_calls() {
    let mut ring = Ring::new(8);
    assert!(all(&ring).is_empty());
    for target in ["a", "b", "c", "d", "e", "f", "g"] {
        ring.keep(entry(AuditOutcome::Finished, target));
    }
    assert_eq!(all(&ring).iter().map(|(_, target, _)| *target).collect::<String>(), "gfedcb");
    for target in ["x", "y", "z"] {
        ring.keep(entry(AuditOutcome::RefusedScope, target));
    }
    assert_eq!(all(&ring).iter().map(|(_, target, _)| *target).collect::<String>(), "zygfedcb");
    ring.keep(entry(AuditOutcome::Failed, "h"));
    assert_eq!(
        all(&ring),
        [(11, "h", 1), (10, "z", 1), (9, "y", 1), (7, "g", 1), (6, "f", 1), (5, "e", 1), (4, "d", 1), (3, "c", 1)]
    );
}

#[test]
fn refusals_that_are_the_same_are_one() {
    let mut ring = Ring::new(16);
    for _ in 0..1_000 {
        ring.keep(entry(AuditOutcome::RefusedScope, "a"));
        ring.keep(entry(AuditOutcome::RefusedRate, "a"));
    }
    ring.keep(AuditEntry { household: None, ..entry(AuditOutcome::RefusedRate, "a") });
    assert_eq!(all(&ring), [(2_001, "a", 1), (2_000, "a", 1_000), (1_999, "a", 1_000)]);
    // Calls never are.
    ring.keep(entry(AuditOutcome::Finished, "a"));
    ring.keep(entry(AuditOutcome::Finished, "a"));
    assert_eq!(all(&ring)[..2], [(2_003, "a", 1), (2_002, "a", 1)]);
}

#[test]
fn the_room_of_a_ring_is_its_own_from_the_start() {
    for entries in [AUDIT_ENTRIES_MIN, 5, 7, 100] {
        let mut ring = Ring::new(entries);
        for number in 0..1_000_u32 {
            ring.keep(AuditEntry {
                household: Some(Household::of(core::net::Ipv4Addr::from_bits(number).into())),
                ..entry(AuditOutcome::RefusedRate, "a")
            });
            ring.keep(entry(AuditOutcome::Finished, "a"));
        }
        assert_eq!(all(&ring).len(), entries);
    }
}

#[test]
fn an_entry_is_json() {
    let known = entry(AuditOutcome::TimedOut, "set \"it\"");
    assert_eq!(
        known.to_string(),
        concat!(
            r#"{"number":0,"time":"2027-01-15T08:00:00Z","uptimeMs":1234,"who":"kitchen","address":"192.0.2.7","#,
            r#""method":"tools/call","target":"set \"it\"","outcome":"timed out","tookMs":7,"times":1}"#
        )
    );
    let unknown = AuditEntry {
        unix_s: 86_400,
        who: heapless::String::new(),
        household: None,
        method: "",
        target: "",
        outcome: AuditOutcome::RefusedCredentials,
        ..known
    };
    assert_eq!(
        unknown.to_string(),
        concat!(
            r#"{"number":0,"time":null,"uptimeMs":1234,"who":null,"address":null,"method":null,"target":null,"#,
            r#""outcome":"refused: credentials","tookMs":7,"times":1}"#
        )
    );
    assert_eq!(unknown.unix_s(), None);
}

#[test]
fn an_entry_is_small() {
    assert!(size_of::<AuditEntry>() <= 160, "{}", size_of::<AuditEntry>());
    assert_eq!(PRINCIPAL_NAME_BYTES_MAX, 64);
}
