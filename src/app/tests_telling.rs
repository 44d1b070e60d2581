//! How often progress is told.

use super::telling::Pace;

/// Whether it is told.
fn tell(pace: &mut Pace, progress: f64, total: Option<f64>, now_ms: u64) -> bool {
    let told = pace.lets_through(progress, total, now_ms);
    if told {
        pace.sent(progress);
    }
    told
}

/// How many steps are told, of so many at this time.
fn steps(pace: &mut Pace, from: f64, count: u32, now_ms: u64) -> u32 {
    (0..count).map(|step| u32::from(tell(pace, from + f64::from(step), None, now_ms))).sum()
}

#[test]
fn many_steps_are_told_now_and_then() {
    let mut pace = Pace::NEW;
    assert_eq!(steps(&mut pace, 0.0, 100, 7), 16);
    assert_eq!(steps(&mut pace, 100.0, 100, 49), 0);
    assert_eq!(steps(&mut pace, 200.0, 100, 50), 1);
    assert_eq!(steps(&mut pace, 300.0, 100, 99), 0);
    assert_eq!(steps(&mut pace, 400.0, 100, 249), 3);
    // Never more than the first time.
    assert_eq!(steps(&mut pace, 500.0, 100, u64::MAX), 16);
    // A clock that goes back gives nothing, and takes nothing.
    assert_eq!(steps(&mut pace, 600.0, 100, 0), 0);
}

#[test]
fn a_second_has_twenty_at_most() {
    let (mut pace, mut told) = (Pace::NEW, 0);
    for now_ms in 1_000_000..1_010_000_u32 {
        told += u32::from(tell(&mut pace, f64::from(now_ms), None, now_ms.into()));
    }
    // The first token comes back after its interval.
    assert_eq!(told, 16 + 10 * 20 - 1);
}

#[test]
fn the_end_is_always_told_and_nothing_goes_back() {
    let mut pace = Pace::NEW;
    assert_eq!(steps(&mut pace, -50.0, 50, 0), 16);
    assert!(!tell(&mut pace, 9.0, Some(10.0), 0));
    assert!(tell(&mut pace, 10.0, Some(10.0), 0));
    assert!(!tell(&mut pace, 10.0, Some(10.0), 0));
    for wrong in [9.0, 10.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!tell(&mut pace, wrong, Some(wrong), 10_000), "{wrong}");
    }
    assert!(tell(&mut pace, 10.5, None, 10_000));
}
