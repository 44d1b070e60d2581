use super::*;

const TEN: Rate = Rate { count: 10, seconds: 60 };

#[test]
fn a_bucket_is_emptied_at_once_and_fills_again_one_by_one() {
    let mut buckets = Buckets::new(4);
    for _ in 0..10 {
        assert_eq!(buckets.look(TEN, 1, 0), Ok(()));
        assert_eq!(buckets.take(TEN, 1, 0), Ok(()));
    }
    assert_eq!(buckets.take(TEN, 1, 0), Err(6));
    assert_eq!(buckets.look(TEN, 1, 0), Err(6));
    assert_eq!(buckets.take(TEN, 1, 1), Err(6));
    assert_eq!(buckets.take(TEN, 1, 5_999), Err(1));
    assert_eq!(buckets.take(TEN, 1, 6_000), Ok(()));
    assert_eq!(buckets.take(TEN, 1, 6_000), Err(6));
    // Others have their own.
    assert_eq!(buckets.take(TEN, 2, 6_000), Ok(()));
    // It never holds more than it can.
    for _ in 0..10 {
        assert_eq!(buckets.take(TEN, 1, 600_000), Ok(()));
    }
    assert_eq!(buckets.take(TEN, 1, 600_000), Err(6));
}

#[test]
fn what_is_refused_takes_nothing() {
    let mut buckets = Buckets::new(1);
    let once = Rate { count: 1, seconds: 10 };
    assert_eq!(buckets.take(once, 7, 0), Ok(()));
    for now_ms in [0, 1, 5_000, 9_999] {
        assert_eq!(buckets.take(once, 7, now_ms), Err(10 - u32::try_from(now_ms / 1_000).unwrap()));
    }
    assert_eq!(buckets.take(once, 7, 10_000), Ok(()));
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let mut buckets = Buckets::new(1);
    let once = Rate { count: 1, seconds: 10 };
    assert_eq!(buckets.take(once, 7, 0), Ok(()));
    buckets.give_back(once, 7, 0, 0);
    assert_eq!(buckets.take(once, 7, 0), Ok(()));
    assert_eq!(buckets.take(once, 7, 0), Err(10));
    // Nothing was taken from this one, and it does not hold more than it can.
    buckets.give_back(once, 8, 0, 0);
    for _ in 0..3 {
        buckets.give_back(once, 7, 0, 0);
    }
    assert_eq!(buckets.take(once, 7, 20_000), Ok(()));
    assert_eq!(buckets.take(once, 7, 20_000), Err(10));
}

#[test]
fn what_came_back_by_itself_is_not_given_back() {
    let once = Rate { count: 1, seconds: 10 };
    let mut buckets = Buckets::new(1);
    assert_eq!(buckets.take(once, 7, 0), Ok(()));
    assert_eq!(buckets.take(once, 7, 10_500), Ok(()));
    buckets.give_back(once, 7, 0, 11_000);
    assert_eq!(buckets.take(once, 7, 11_000), Err(10));
    // Of two that are taken almost an interval apart, the first is given back as far as it is missing.
    let twice = Rate { count: 2, seconds: 10 };
    let mut buckets = Buckets::new(1);
    assert_eq!(buckets.take(twice, 7, 0), Ok(()));
    assert_eq!(buckets.take(twice, 7, 4_900), Ok(()));
    buckets.give_back(twice, 7, 0, 4_900);
    assert_eq!(buckets.take(twice, 7, 4_900), Ok(()));
    assert_eq!(buckets.take(twice, 7, 4_900), Err(5));
}

#[test]
fn those_who_take_turns_by_one_place_share_its_bucket() {
    let mut buckets = Buckets::new(2);
    (0..10).for_each(|_| buckets.take(TEN, 1, 0).unwrap());
    // The first has the whole of it; who comes after it finds what is left, and two at the least.
    (0..10).for_each(|_| buckets.take(TEN, 2, 0).unwrap());
    assert_eq!(buckets.take(TEN, 2, 0), Err(6));
    for key in 3..100 {
        assert_eq!(buckets.take(TEN, key, 0), Ok(()));
        assert_eq!(buckets.take(TEN, key, 0), Ok(()));
        assert_eq!(buckets.take(TEN, key, 0), Err(6), "{key}");
    }
    let mut buckets = Buckets::new(1);
    (0..4).for_each(|_| buckets.take(TEN, 1, 0).unwrap());
    (0..6).for_each(|_| buckets.take(TEN, 2, 0).unwrap());
    assert_eq!(buckets.take(TEN, 2, 0), Err(6), "what 1 took is missing");
}

#[test]
fn a_full_table_forgives_the_one_who_came_least() {
    let mut buckets = Buckets::new(3);
    for (key, times) in [(1, 10), (2, 4), (3, 7)] {
        (0..times).for_each(|_| buckets.take(TEN, key, 0).unwrap());
    }
    assert_eq!(buckets.take(TEN, 4, 0), Ok(()), "2 makes room");
    assert_eq!(buckets.take(TEN, 1, 0), Err(6));
    // It is the newcomer that came least now, and makes room for the next one, and so on: those who came most stay counted.
    for key in 5..1_000 {
        assert_eq!(buckets.take(TEN, key, 0), Ok(()));
        assert_eq!(buckets.take(TEN, 1, 0), Err(6));
    }
    // So many of them that 3 had to make room, too: it finds the two that are left to each.
    (0..2).for_each(|_| buckets.take(TEN, 3, 0).unwrap());
    assert_eq!(buckets.take(TEN, 3, 0), Err(6));
    // Later, all are full, and there is room again.
    for key in 10..13 {
        (0..10).for_each(|_| buckets.take(TEN, key, 60_000).unwrap());
    }
    for key in 10..13 {
        assert_eq!(buckets.take(TEN, key, 60_000), Err(6));
    }
}

#[test]
fn no_room_and_no_rate_limit_nobody() {
    let mut buckets = Buckets::new(0);
    (0..100).for_each(|_| buckets.take(TEN, 1, 0).unwrap());
    let mut buckets = Buckets::new(1);
    let any = Rate { count: u32::MAX, seconds: 1 };
    (0..100).for_each(|_| buckets.take(any, 1, 0).unwrap());
    let rates = Rates::new(RateLimits::DEFAULT, 0);
    (0..1_000).for_each(|_| rates.request_of_address(1, 0).unwrap());
    (0..1_000).for_each(|_| rates.request_of_principal(1, 0).unwrap());
}

#[test]
fn the_clock_may_be_at_its_end() {
    let mut buckets = Buckets::new(2);
    for now_ms in [u64::MAX / 1_000, u64::MAX] {
        for _ in 0..20 {
            let _ = buckets.take(TEN, now_ms, now_ms);
        }
    }
    let day = Rate { count: 1, seconds: RATE_SECONDS_MAX };
    assert_eq!(buckets.take(day, 1, 0), Ok(()));
    assert_eq!(buckets.take(day, 1, 0), Err(RATE_SECONDS_MAX));
}

// Against a bucket that is counted by hand, in thousands of one: never more in any time than there is room for and came back.
#[test]
fn no_more_are_taken_than_came_back() {
    let mut seed = 1_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..200 {
        let rate =
            Rate { count: u32::try_from(1 + random(50)).unwrap(), seconds: u32::try_from(1 + random(100)).unwrap() };
        let (mut buckets, mut taken, mut now_ms) = (Buckets::new(1), Vec::new(), 0);
        for _ in 0..500 {
            now_ms += random(2 * u64::from(rate.seconds) * 1_000 / u64::from(rate.count) + 2);
            match buckets.take(rate, 1, now_ms) {
                Ok(()) => taken.push(now_ms),
                Err(wait_s) => {
                    assert!(wait_s >= 1);
                    let mut later = clone(&buckets);
                    let then_ms = now_ms + u64::from(wait_s) * 1_000;
                    assert_eq!(later.take(rate, 1, then_ms), Ok(()), "{rate:?} {wait_s}");
                }
            }
        }
        // From any one taken to any other: as many as the bucket holds, and one for each interval.
        for (first, from_ms) in taken.iter().enumerate() {
            for (last, to_ms) in taken.iter().enumerate().skip(first) {
                let came_back = (to_ms - from_ms) * u64::from(rate.count) / (u64::from(rate.seconds) * 1_000);
                let most = u64::from(rate.count) + came_back + 1;
                assert!(((last - first) as u64) < most, "{rate:?}");
            }
        }
    }
}

fn clone(buckets: &Buckets) -> Buckets {
    let mut copy = Buckets::new(buckets.room);
    copy.used.extend(buckets.used.iter().copied());
    copy
}

#[test]
fn what_is_told_names_the_setting() {
    let told = |limit| Limited { limit, rate: TEN, wait_s: 6 }.to_string();
    assert_eq!(
        told(Limit::Address),
        "too many requests from your address: at most 10 in 60 s (requests_per_address); try again in 6 s"
    );
    assert_eq!(
        told(Limit::Principal),
        "too many requests from you: at most 10 in 60 s (requests_per_principal); try again in 6 s"
    );
    assert_eq!(
        told(Limit::WrongTokens),
        "too many wrong tokens from your address: at most 10 in 60 s (wrong_tokens_per_address); try again in 6 s"
    );
    assert_eq!(told(Limit::Tool), "this tool was called too often: at most 10 in 60 s; try again in 6 s");
}
