//! The table of tasks.

use std::task::{Context, Poll, Waker};

use super::{Board, End, Inbox, Job, Lives, Memory, NoTask, Now, Slot, Status, TaskId, Tasks};
use crate::limits::{TASK_BYTES_MAX, TASK_INPUT_BYTES_MAX, TASK_NOTE_BYTES_MAX, TASK_TOLD_MS};
use crate::rpc::Envelope;
use crate::session::{Principal, PrincipalId};

const LIVES: Lives = Lives { run_ms: 10_000, kept_ms: 60_000 };
const ME: PrincipalId = PrincipalId::ANYONE;

fn at(ms: u64) -> Now {
    Now { ms, unix_s: 1_800_000_000 + ms / 1000 }
}

fn job() -> Job {
    Job {
        envelope: Envelope::default(),
        bytes: 2,
        tool: 3,
        client: "me".try_into().unwrap(),
        principal: Principal::ANYONE,
    }
}

fn id(number: u8) -> TaskId {
    TaskId::of([number; 12])
}

/// Memory for so many tasks.
pub(super) struct Lent {
    slots: Vec<Slot>,
    inboxes: Vec<Inbox>,
    results: Vec<u8>,
    inputs: Vec<u8>,
}

impl Lent {
    pub(super) fn new(tasks: usize) -> Self {
        Self {
            slots: (0..tasks).map(|_| Slot::EMPTY).collect(),
            inboxes: (0..tasks).map(|_| Inbox::EMPTY).collect(),
            results: vec![0; tasks * TASK_BYTES_MAX],
            inputs: vec![0; tasks * TASK_INPUT_BYTES_MAX],
        }
    }

    pub(super) fn board(&mut self) -> Board<'_> {
        let Self { slots, inboxes, results, inputs } = self;
        Board::new(Memory { slots, inboxes, results, inputs }, LIVES, None)
    }
}

fn create(tasks: &mut Tasks<'_>, number: u8, now: Now) -> Result<usize, NoTask> {
    tasks.create(id(number), job(), &[b"{}"], now)
}

fn begin(tasks: &mut Tasks<'_>, place: usize) -> Option<(Job, String)> {
    let mut request = vec![0; TASK_BYTES_MAX];
    match tasks.begin(place, &mut request) {
        Poll::Ready((job, bytes)) => Some((job, String::from_utf8(request[..bytes].to_vec()).unwrap())),
        Poll::Pending => None,
    }
}

fn write(tasks: &mut Tasks<'_>, place: usize, text: &str) -> bool {
    tasks.fill(place, |free| {
        let fits = free.len().min(text.len());
        free[..fits].copy_from_slice(&text.as_bytes()[..fits]);
        (fits, fits == text.len())
    })
}

// A task that is answered with this result, or another member.
fn answered(tasks: &mut Tasks<'_>, place: usize, member: &str, now: Now) {
    begin(tasks, place).unwrap();
    assert!(write(tasks, place, &format!(r#"{{"jsonrpc":"2.0","id":null,{member}}}"#)));
    assert!(tasks.end(place, End::Answered, now));
}

fn status(board: &Board<'_>, place: usize) -> String {
    let text = |json: &[u8]| String::from_utf8(json.to_vec()).unwrap();
    let shown = board.look(place, |view| match view.status {
        Status::Working => "working".to_owned(),
        Status::InputRequired(requests) => requests.members().map(text).collect::<Vec<_>>().join(","),
        Status::Completed(result) => format!("completed {}", text(result)),
        Status::Refused(error) => format!("refused {}", text(error)),
        Status::Failed(why) => format!("failed {why}"),
        Status::Cancelled => "cancelled".to_owned(),
    });
    shown.unwrap_or_else(|| "none".to_owned())
}

#[test]
fn a_task_is_created_runs_and_has_a_result() {
    let mut lent = Lent::new(2);
    let board = lent.board();
    let place = create(&mut board.tasks.borrow_mut(), 1, at(0)).unwrap();
    assert_eq!(status(&board, place), "working");
    let (job, request) = begin(&mut board.tasks.borrow_mut(), place).unwrap();
    assert_eq!((job.tool, request.as_str()), (3, "{}"));
    // It is taken once.
    assert!(begin(&mut board.tasks.borrow_mut(), place).is_none());
    assert!(write(&mut board.tasks.borrow_mut(), place, r#"{"jsonrpc":"2.0","id":null,"result":{"x":"#));
    assert!(write(&mut board.tasks.borrow_mut(), place, "1}}"));
    assert!(board.tasks.borrow_mut().end(place, End::Answered, at(2_500)));
    assert_eq!(status(&board, place), r#"completed {"x":1}"#);
    board.look(place, |view| {
        assert_eq!((view.created_unix_s, view.changed_unix_s), (1_800_000_000, 1_800_000_002));
        assert_eq!(view.ttl_ms, Some(62_500));
    });
}

#[test]
fn an_error_of_the_request_and_nonsense_are_told_apart() {
    let mut lent = Lent::new(3);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    for (number, member) in [(0, r#""error":{"code":-1}"#), (1, r#""resul":{}"#)] {
        let place = create(&mut tasks, number, at(0)).unwrap();
        answered(&mut tasks, place, member, at(1));
    }
    let place = create(&mut tasks, 2, at(0)).unwrap();
    begin(&mut tasks, place).unwrap();
    tasks.end(place, End::Failed("why"), at(1));
    drop(tasks);
    assert_eq!(status(&board, 0), r#"refused {"code":-1}"#);
    assert_eq!(status(&board, 1), "failed the tool gave no answer");
    assert_eq!(status(&board, 2), "failed why");
}

#[test]
fn only_its_creator_finds_a_task_and_only_for_its_life() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    let other = PrincipalId::of_token_hash(&[9; 32]);
    let place = create(&mut tasks, 1, at(0)).unwrap();
    let text = id(1).as_str().to_owned();
    assert_eq!(text.len(), 16);
    assert_eq!(tasks.find(text.as_bytes(), ME, at(1)), Some(place));
    assert_eq!(tasks.find(text.as_bytes(), other, at(1)), None);
    assert_eq!(tasks.find(id(2).as_str().as_bytes(), ME, at(1)), None);
    for wrong in ["", "x", "AQEBAQEBAQEBAQE", "AQEBAQEBAQEBAQEBA", "AQEBAQEBAQEBAQ==", "                "] {
        assert_eq!(tasks.find(wrong.as_bytes(), ME, at(1)), None, "{wrong}");
    }
    assert_eq!(tasks.find(text.as_bytes(), ME, at(u64::MAX / 2)), Some(place), "it runs");
    answered(&mut tasks, place, r#""result":{}"#, at(1_000));
    assert_eq!(tasks.find(text.as_bytes(), ME, at(60_999)), Some(place));
    assert_eq!(tasks.find(text.as_bytes(), ME, at(61_000)), None);
    tasks.expire(at(60_999));
    assert!(!tasks.is_empty());
    tasks.expire(at(61_000));
    assert!(tasks.is_empty());
    // Free slots have no id that anybody could guess.
    assert_eq!(tasks.find(TaskId::NONE.as_str().as_bytes(), ME, at(0)), None);
}

#[test]
fn a_full_table_makes_room_only_where_a_life_is_over() {
    let mut lent = Lent::new(2);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    let first = create(&mut tasks, 1, at(0)).unwrap();
    let second = create(&mut tasks, 2, at(0)).unwrap();
    assert_eq!(create(&mut tasks, 3, at(0)), Err(NoTask::Full));
    answered(&mut tasks, second, r#""result":{}"#, at(100));
    answered(&mut tasks, first, r#""result":{}"#, at(200));
    assert_eq!(create(&mut tasks, 3, at(60_099)), Err(NoTask::Full));
    // The one whose life was over first.
    assert_eq!(create(&mut tasks, 3, at(70_000)), Ok(second));
    assert_eq!(create(&mut tasks, 4, at(70_000)), Ok(first));
    assert_eq!(create(&mut tasks, 5, at(70_000)), Err(NoTask::Full));
}

#[test]
fn no_capacity_is_no_task() {
    let mut lent = Lent::new(0);
    let board = lent.board();
    assert_eq!(create(&mut board.tasks.borrow_mut(), 1, at(0)), Err(NoTask::Full));
    assert_eq!(board.tasks.borrow().capacity(), 0);
    assert_eq!(status(&board, 0), "none");
}

#[test]
fn what_was_read_is_kept_for_a_moment_only() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let place = create(&mut board.tasks.borrow_mut(), 1, at(0)).unwrap();
    // To look at one that runs changes nothing.
    board.tasks.borrow_mut().tell(place, at(10));
    answered(&mut board.tasks.borrow_mut(), place, r#""result":{}"#, at(1_000));
    board.tasks.borrow_mut().tell(place, at(2_000));
    board.look(place, |view| assert_eq!(view.ttl_ms, Some(2_000 + TASK_TOLD_MS)));
    let stamp = board.stamp(place);
    board.tasks.borrow_mut().tell(place, at(9_000));
    assert_eq!(board.stamp(place), stamp, "to read it again does not prolong it");
    let mut tasks = board.tasks.borrow_mut();
    assert!(tasks.find(id(1).as_str().as_bytes(), ME, at(1_999 + TASK_TOLD_MS)).is_some());
    assert!(tasks.find(id(1).as_str().as_bytes(), ME, at(2_000 + TASK_TOLD_MS)).is_none());
    assert!(create(&mut tasks, 2, at(2_000 + TASK_TOLD_MS)).is_ok());
}

#[test]
fn a_cancelled_task_is_cancelled_at_once_and_its_slot_free_when_its_runner_let_go() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    let place = create(&mut tasks, 1, at(0)).unwrap();
    begin(&mut tasks, place).unwrap();
    assert!(tasks.cancel(place, at(5)));
    assert!(!tasks.is_wanted(place));
    assert!(!tasks.cancel(place, at(6)), "once");
    let late = at(10_000_000);
    tasks.expire(late);
    assert_eq!(create(&mut tasks, 2, late), Err(NoTask::Full), "its runner has it still");
    assert!(!tasks.end(place, End::Answered, at(7)), "what comes after the cancellation is no news");
    drop(tasks);
    assert_eq!(status(&board, place), "cancelled");
    assert_eq!(create(&mut board.tasks.borrow_mut(), 2, late), Ok(place));
}

#[test]
fn a_task_that_is_cancelled_before_it_began_is_not_begun_for_nothing() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    let place = create(&mut tasks, 1, at(0)).unwrap();
    assert!(tasks.cancel(place, at(1)));
    assert!(begin(&mut tasks, place).is_some() && !tasks.is_wanted(place));
    tasks.end(place, End::Failed("never seen"), at(2));
    drop(tasks);
    assert_eq!(status(&board, place), "cancelled");
}

#[test]
fn too_large_and_too_late() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    let large = vec![b' '; TASK_BYTES_MAX + 1];
    assert_eq!(tasks.create(id(1), job(), &[&large], at(0)), Err(NoTask::Large));
    assert_eq!(tasks.create(id(1), job(), &[&large[1..], b"x"], at(0)), Err(NoTask::Large));
    let place = tasks.create(id(1), job(), &[&large[1..]], at(0)).unwrap();
    assert_eq!(begin(&mut tasks, place).unwrap().1.len(), TASK_BYTES_MAX);
    assert!(write(&mut tasks, place, &"x".repeat(TASK_BYTES_MAX)) && !tasks.is_too_large(place));
    assert!(!write(&mut tasks, place, "x") && tasks.is_too_large(place));
    assert!(!write(&mut tasks, place, ""), "nothing is taken any more");
    assert!(!tasks.is_late(place, at(9_999)) && tasks.is_late(place, at(10_000)));
}

#[test]
fn without_a_limit_nobody_knows_how_long_a_task_is_kept() {
    let mut lent = Lent::new(1);
    let Lent { slots, inboxes, results, inputs } = &mut lent;
    let lives = Lives { run_ms: u64::MAX, kept_ms: 1_000 };
    let board = Board::new(Memory { slots, inboxes, results, inputs }, lives, None);
    let place = create(&mut board.tasks.borrow_mut(), 1, at(500)).unwrap();
    assert!(!board.tasks.borrow().is_late(place, at(u64::MAX)));
    board.look(place, |view| assert_eq!(view.ttl_ms, None));
    answered(&mut board.tasks.borrow_mut(), place, r#""result":{}"#, at(900));
    board.look(place, |view| assert_eq!(view.ttl_ms, Some(1_400)));
}

#[test]
fn a_note_is_cut_at_a_character_and_gone_when_it_is_cancelled() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let place = create(&mut board.tasks.borrow_mut(), 1, at(0)).unwrap();
    let news = board.news(place);
    board.tasks.borrow_mut().note(place, &"é".repeat(100), 7);
    board.look(place, |view| assert_eq!(view.note, "é".repeat(TASK_NOTE_BYTES_MAX / 2)));
    assert_eq!(board.news(place), news, "it is told to those who look only");
    board.tasks.borrow_mut().cancel(place, at(1));
    board.look(place, |view| assert_eq!(view.note, ""));
    board.tasks.borrow_mut().note(place, "late", 8);
    board.look(place, |view| assert_eq!(view.note, ""));
}

#[test]
fn the_end_of_the_server_ends_all() {
    let mut lent = Lent::new(3);
    let board = lent.board();
    let mut tasks = board.tasks.borrow_mut();
    for number in 0..3 {
        create(&mut tasks, number, at(0)).unwrap();
    }
    answered(&mut tasks, 1, r#""result":{}"#, at(1));
    assert_eq!(tasks.end_all("the end", at(2)), 0b101);
    drop(tasks);
    assert_eq!(status(&board, 0), "failed the end");
    assert_eq!(status(&board, 1), "completed {}");
}

#[test]
fn a_slot_is_never_mistaken_for_the_one_before() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let mut seen = Vec::new();
    for round in 0..20_u8 {
        let place = create(&mut board.tasks.borrow_mut(), round, at(0)).unwrap();
        seen.push((board.stamp(place), board.news(place)));
        answered(&mut board.tasks.borrow_mut(), place, r#""result":{}"#, at(0));
        seen.push((board.stamp(place), board.news(place)));
        board.tasks.borrow_mut().expire(at(100_000));
    }
    for (at, one) in seen.iter().enumerate() {
        assert!(seen[..at].iter().all(|other| other.0 != one.0 && other.1 != one.1));
    }
}

#[test]
fn nobody_waits_for_an_answer_in_a_place_that_is_not() {
    let mut lent = Lent::new(1);
    let board = lent.board();
    let cx = Context::from_waker(Waker::noop());
    let ticket = crate::app::Ticket(1, 0);
    assert!(board.inputs.borrow_mut().poll_answer(7, &cx, ticket).is_ready());
    assert!(board.inputs.borrow_mut().poll_answer(0, &cx, ticket).is_ready());
    assert!(board.inputs.borrow().read(0, ticket).is_none());
    board.inputs.borrow_mut().forget(0, ticket, at(0));
}
