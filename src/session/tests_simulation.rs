//! Many clients, few slots, a long time: the promises of the table hold after every step.

use std::collections::{HashSet, VecDeque};

use crate::limits::{DELETED_IDS_MAX, SESSION_IDLE_MIN_MS};

use super::{
    Admitted, Evicted, Key, LogLevel, Name, PrincipalId, RestoreRefusal, Revision, SessionFields, SessionId,
    SessionRef, Slot, Table, TableFull, Transport,
};

const STEPS: u32 = 60_000;
const SLOTS: usize = 8;

/// xorshift64*, so that a failure can be run again from its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

/// What the test knows of a live session.
#[derive(Clone, Default)]
struct Expected {
    last_used: u64,
    calls: u16,
    stream: Option<u16>,
    holding: bool,
}

struct World {
    random: Random,
    now: u64,
    key: Key,
    issued: Vec<(SessionId, String)>,
    live: Vec<(SessionRef, SessionId, Expected)>,
    ended: VecDeque<SessionId>,
    gone: Vec<SessionRef>,
    clients: HashSet<u64>,
    evictions: u32,
    restores: u32,
    full: u32,
}

#[test]
fn the_table_keeps_its_promises() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_cafe_u64);
    println!("SEED={seed}");
    let mut slots = [const { Slot::EMPTY }; SLOTS];
    let mut names = [const { Name::EMPTY }; 8];
    let mut table = Table::new(&mut slots, &mut names);
    let mut world = World {
        random: Random(seed.max(1)),
        now: 0,
        key: Key::new([9; 32]),
        issued: Vec::new(),
        live: Vec::new(),
        ended: VecDeque::new(),
        gone: Vec::new(),
        clients: HashSet::new(),
        evictions: 0,
        restores: 0,
        full: 0,
    };
    for step in 0..STEPS {
        world.step(&mut table, step);
        world.check(&table);
        if step % 256 == 0 {
            world.check_ended(&table);
        }
    }
    // The run went where it should: none of these is rare.
    assert!(world.evictions > 1000 && world.restores > 1000 && world.full > 1000);
    println!("{} evictions, {} restores, {} times full", world.evictions, world.restores, world.full);
}

impl World {
    fn step(&mut self, table: &mut Table<'_>, step: u32) {
        // Mostly a short while, so that sessions are both within and past the minimum idle time.
        self.now += [0, 1, 40, 200, SESSION_IDLE_MIN_MS][self.random.below(5)];
        if self.live.is_empty() {
            return self.open(table, step);
        }
        let (now, any) = (self.now, self.random.below(self.live.len()));
        let (session, _, ref mut expected) = self.live[any];
        match self.random.below(16) {
            0 | 1 => self.open(table, step),
            2 | 3 => self.come_back(table),
            4 | 5 => {
                table.touch(session, now);
                expected.last_used = now;
            }
            6 | 7 => {
                assert!(table.call_started(session, now));
                (expected.calls, expected.last_used) = (expected.calls + 1, now);
            }
            8..=10 => {
                // Once in a while an end without a beginning, which must not count below zero.
                table.call_ended(session, now);
                (expected.calls, expected.last_used) = (expected.calls.saturating_sub(1), now);
            }
            11 => {
                let stream = u16::try_from(step).unwrap();
                assert_eq!(table.stream_opened(session, stream, now), Ok(expected.stream.replace(stream)));
                expected.last_used = now;
            }
            12 | 13 => {
                let stream = expected.stream.take();
                assert_eq!(table.stream_closed(session, stream.unwrap_or(u16::MAX), now), stream.is_some());
                expected.last_used = if stream.is_some() { now } else { expected.last_used };
            }
            14 => {
                expected.holding = !expected.holding;
                assert!(table.set_log_level(session, expected.holding.then_some(LogLevel::Info)));
            }
            _ => self.end(table, any),
        }
    }

    fn open(&mut self, table: &mut Table<'_>, step: u32) {
        let fields = SessionFields {
            revision: Revision::ALL[self.random.below(4)],
            transport: Transport::Streamable,
            capabilities: u16::try_from(self.random.below(0x1_0000)).unwrap(),
            issued_unix_s: 1_795_000_000 + u64::from(step),
        };
        let mut random = [0; 12];
        random[..4].copy_from_slice(&step.to_be_bytes());
        let (id, text) = SessionId::issue(&self.key, fields, PrincipalId::ANYONE, random);
        match table.open(id, "client", "1.0", self.now) {
            Ok(admitted) => {
                self.admitted(table, id, &admitted);
                self.issued.push((id, text.as_str().to_owned()));
            }
            Err(TableFull) => self.refused(),
        }
    }

    /// A client comes with an id it was once given; of the recent ones, so that ended ones are
    /// among them.
    fn come_back(&mut self, table: &mut Table<'_>) {
        let recent = self.issued.len().min(40);
        if recent == 0 {
            return;
        }
        let (id, text) = self.issued[self.issued.len() - 1 - self.random.below(recent)].clone();
        let read = SessionId::verify(&self.key, text.as_bytes(), PrincipalId::ANYONE, 0, u64::MAX);
        assert_eq!(read, Ok(id));
        let known = self.live.iter().find(|(_, live, _)| *live == id).map(|(session, ..)| *session);
        assert_eq!(table.find(&id), known);
        match table.restore(id, self.now) {
            Ok(Admitted { session, evicted: None }) if known.is_some() => assert_eq!(Some(session), known),
            Ok(admitted) => {
                assert!(known.is_none() && !self.ended.contains(&id));
                self.admitted(table, id, &admitted);
                self.restores += 1;
            }
            Err(RestoreRefusal::Ended) => assert!(self.ended.contains(&id)),
            Err(RestoreRefusal::Full) => self.refused(),
            Err(RestoreRefusal::StreamGone) => panic!("there is no such session here"),
        }
    }

    fn end(&mut self, table: &mut Table<'_>, index: usize) {
        let (session, id, expected) = self.live.swap_remove(index);
        let ended = table.end(session).unwrap();
        assert_eq!((ended.id, ended.stream), (id, expected.stream));
        self.gone.push(session);
        self.ended.push_back(id);
        if self.ended.len() > DELETED_IDS_MAX {
            self.ended.pop_front();
        }
    }

    fn admitted(&mut self, table: &Table<'_>, id: SessionId, admitted: &Admitted) {
        let client = table.get(admitted.session).unwrap().client().0;
        assert!(self.clients.insert(client), "a client's number came twice");
        match admitted.evicted {
            None => assert!(self.live.len() < SLOTS),
            Some(evicted) => self.evicted(&evicted),
        }
        let expected = Expected { last_used: self.now, ..Expected::default() };
        assert!(!self.live.iter().any(|(live, ..)| *live == admitted.session), "a slot was given twice");
        self.live.push((admitted.session, id, expected));
    }

    fn evicted(&mut self, evicted: &Evicted) {
        assert_eq!(self.live.len(), SLOTS, "evicted beside a free slot");
        let index = self.live.iter().position(|(live, ..)| *live == evicted.session).unwrap();
        let (_, _, was) = self.live.swap_remove(index);
        assert!(self.may_go(&was));
        assert_eq!((evicted.idle_ms, evicted.lost_state), (self.now - was.last_used, was.holding));
        if was.holding {
            // Only when nobody else could go.
            assert!(!self.live.iter().any(|(_, _, other)| self.may_go(other) && !other.holding));
        }
        self.gone.push(evicted.session);
        self.evictions += 1;
    }

    fn refused(&mut self) {
        assert_eq!(self.live.len(), SLOTS, "refused beside a free slot");
        assert!(!self.live.iter().any(|(_, _, session)| self.may_go(session)));
        self.full += 1;
    }

    fn may_go(&self, session: &Expected) -> bool {
        session.calls == 0 && session.stream.is_none() && self.now - session.last_used >= SESSION_IDLE_MIN_MS
    }

    /// The list of ended ids is exact; looked at less often, because it is long.
    fn check_ended(&self, table: &Table<'_>) {
        assert!(self.ended.iter().all(|id| table.is_ended(id) && table.find(id).is_none()));
        assert!(table.ended().eq(self.ended.iter().map(SessionId::random).collect::<Vec<_>>().iter()));
    }

    /// Nothing is lost, nothing is double, and everything is as it was left.
    fn check(&mut self, table: &Table<'_>) {
        let mut ids = Vec::new();
        let mut live = 0;
        for (session, state) in table.iter() {
            let (_, id, expected) = self.live.iter().find(|(live, ..)| *live == session).unwrap();
            assert!(!ids.contains(id), "an id has two slots");
            ids.push(*id);
            assert_eq!((state.id(), state.last_used_ms()), (id, expected.last_used));
            assert_eq!(state.revision(), id.fields().revision);
            assert_eq!((state.calls_in_flight(), state.stream()), (expected.calls, expected.stream));
            assert_eq!(state.log_level().is_some(), expected.holding);
            live += 1;
        }
        assert_eq!(live, self.live.len());
        assert!(self.gone.iter().rev().take(20).all(|stale| table.get(*stale).is_none()));
    }
}
