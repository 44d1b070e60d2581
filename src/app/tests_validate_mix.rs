//! What the validation of arguments lets through can be read into their types.

use super::tests_validate::{All, GOOD, check, with};

/// Any combination of good, odd and wrong values: what is let through can be read, and what cannot be read was not let through.
#[test]
fn what_is_let_through_can_be_read() {
    let (mut let_through, mut seed) = (0, 0x2545_F491_4F6C_DD1D_u64);
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for (name, _) in GOOD {
        for value in VALUES {
            let_through += usize::from(check::<All>(&with(name, Some(value))).is_empty());
        }
    }
    for _ in 0..6_000 {
        let mut members: Vec<String> = Vec::new();
        for (name, good) in GOOD {
            let value = if random(12) == 0 { VALUES[random(VALUES.len())] } else { good };
            if random(40) > 0 {
                members.insert(random(members.len() + 1), format!("\"{name}\":{value}"));
            }
        }
        let arguments = format!("{{{}}}", members.join(","));
        let_through += usize::from(check::<All>(&arguments).is_empty());
    }
    assert!(let_through > 1_000, "the generator makes too little that fits: {let_through}");
}

/// Values of every kind, and what is at their edges.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "null", "true", "false", "0", "-0", "1", "7", "10", "127", "128", "255", "256", "-1", "-5", "-128", "-129", "1.0",
    "0.5", "1e2", "1E400", "-1e-400", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "1e38", "3.5e38", "\"\"", "\"a\"", "\"ab\"", "\"slow\"",
    "\"very_fast\"", "\"1/s\"", "\"\\\"\\\\\\n\"", "\"äöü\"", "\"äöüß\"", "\"\u{1F600}\"", "[]", "[1]", "[1,2]",
    "[ 1 , 2 , 3 ]", "[null]", "[\"a\"]", "[\"\\\\\",\"b\"]", "[\"äö\",\"\",\"abcd\"]", "[\"äöü\"]", "[[]]", "[{}]",
    "{}", r#""\ud83d\ude00""#, r#""\u0073low""#, r#""1\/s""#, r#"{"\u0072ed":1}"#, "{\"red\":1}",
    "{\"red\":1,\"alpha\":null}", "{ \"alpha\" : 255 , \"red\" : 0 }", "{\"red\":1,\"red\":1}", "{\"red\":-0}",
    "{\"red\":1,\"x\":1}",
];
