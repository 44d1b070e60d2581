//! What tasks ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::tests::Lent;
use super::{Board, Now, Status, TaskId};
use crate::app::{InputError, Question, QuestionKind, Ticket};
use crate::json::{Value, Writer};
use crate::limits::{QUESTIONS_MAX, TASK_INPUT_BYTES_MAX};
use crate::rpc::Envelope;
use crate::session::{ClientText, Principal};

const NOW: Now = Now { ms: 0, unix_s: 7 };
const YES: &str = r#"{"action":"accept","content":{"ok":true}}"#;

fn open(board: &Board<'_>, key: &str, message: &str) -> Result<Ticket, InputError> {
    let params = |w: &mut Writer<'_>, _: Option<&dyn Fn(&mut Writer<'_>)>| {
        w.string(message);
    };
    let question = Question { key, kind: QuestionKind::Form, params: &params };
    board.inputs.borrow_mut().open(0, &question, NOW)
}

fn board(lent: &mut Lent) -> Board<'_> {
    let board = lent.board();
    let job = super::Job {
        envelope: Envelope::default(),
        bytes: 0,
        tool: 0,
        client: ClientText::new(),
        principal: Principal::ANYONE,
    };
    board.tasks.borrow_mut().create(TaskId::of([1; 12]), job, &[], NOW).unwrap();
    board
}

// The names of what is asked.
fn asked(board: &Board<'_>) -> Vec<String> {
    let names = board.look(0, |view| match view.status {
        Status::InputRequired(requests) => {
            let members: Vec<String> =
                requests.members().map(|member| String::from_utf8(member.to_vec()).unwrap()).collect();
            let object = format!("{{{}}}", members.join(","));
            assert!(crate::json::validate(object.as_bytes()).is_ok(), "{object}");
            Value::new(object.as_bytes()).members().map(|(name, _)| name.to_string()).collect()
        }
        _ => Vec::new(),
    });
    names.unwrap()
}

fn answer(board: &Board<'_>, responses: &str) -> bool {
    board.inputs.borrow_mut().answer(0, Value::new(responses.as_bytes()), NOW)
}

fn poll(board: &Board<'_>, ticket: Ticket) -> Poll<Result<(), InputError>> {
    board.inputs.borrow_mut().poll_answer(0, &Context::from_waker(Waker::noop()), ticket)
}

#[test]
fn questions_are_asked_answered_and_forgotten() {
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    let one = open(&board, "one", "first?").unwrap();
    let two = open(&board, "t\"wo\n", "second?").unwrap();
    assert_eq!(asked(&board), ["one-1", "t\"wo\n-2"]);
    assert_eq!(poll(&board, one), Poll::Pending);
    assert!(answer(&board, &format!(r#"{{"one-1":{YES},"nobody":1}}"#)));
    assert_eq!((poll(&board, one), poll(&board, two)), (Poll::Ready(Ok(())), Poll::Pending));
    assert_eq!(asked(&board), ["t\"wo\n-2"]);
    assert_eq!(board.inputs.borrow().read(0, one), Some(YES.as_bytes()));
    // An answer that comes again, and with another text, changes nothing.
    assert!(answer(&board, r#"{"one-1":{"action":"cancel"}}"#));
    assert_eq!(board.inputs.borrow().read(0, one), Some(YES.as_bytes()));
    assert!(answer(&board, r#"{"t\"wo\n-2":{"action":"decline"}}"#));
    assert_eq!(board.inputs.borrow().read(0, two), Some(br#"{"action":"decline"}"#.as_slice()));
    assert_eq!(board.inputs.borrow().read(0, one), Some(YES.as_bytes()));
    assert!(asked(&board).is_empty());
    board.inputs.borrow_mut().forget(0, one, NOW);
    assert_eq!(board.inputs.borrow().read(0, one), None);
    assert_eq!(board.inputs.borrow().read(0, two), Some(br#"{"action":"decline"}"#.as_slice()));
}

#[test]
fn a_name_never_comes_twice() {
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    for number in 1..50 {
        let ticket = open(&board, "again", "?").unwrap();
        assert_eq!(asked(&board), [format!("again-{number}")]);
        board.inputs.borrow_mut().forget(0, ticket, NOW);
        assert!(asked(&board).is_empty());
        assert!(matches!(poll(&board, ticket), Poll::Ready(Err(InputError::Gone))));
    }
}

#[test]
fn what_is_no_answer_is_not_taken_nor_what_came_with_it() {
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    let (one, two) = (open(&board, "a", "?").unwrap(), open(&board, "b", "?").unwrap());
    for bad in ["1", "null", "{}", r#"{"action":"maybe","content":{}}"#] {
        assert!(!answer(&board, &format!(r#"{{"a-1":{YES},"b-2":{bad}}}"#)), "{bad}");
        assert_eq!((poll(&board, one), poll(&board, two)), (Poll::Pending, Poll::Pending));
    }
    // The same name twice in one message: one reader would take the first, another the last.
    assert!(!answer(&board, &format!(r#"{{"a-1":{YES},"a-1":{{"action":"cancel"}}}}"#)));
    assert!(!answer(&board, &format!(r#"{{"a-1":{YES},"b-2":{YES},"\u0061-1":{YES}}}"#)));
    assert_eq!((poll(&board, one), poll(&board, two)), (Poll::Pending, Poll::Pending));
    assert!(answer(&board, &format!(r#"{{"a-1":{YES},"c-1":1,"c-1":2}}"#)));
    assert_eq!(board.inputs.borrow().read(0, one), Some(YES.as_bytes()));
}

#[test]
fn the_room_is_bounded_and_all_of_it_comes_back() {
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    for _ in 0..3 {
        let tickets: Vec<Ticket> = (0..QUESTIONS_MAX).map(|_| open(&board, "k", "?").unwrap()).collect();
        assert_eq!(open(&board, "k", "?"), Err(InputError::Full));
        // In any order.
        for at in [3, 0, 7, 1, 6, 2, 5, 4] {
            board.inputs.borrow_mut().forget(0, tickets[at], NOW);
        }
        let large = "x".repeat(TASK_INPUT_BYTES_MAX - 60);
        assert_eq!(open(&board, "k", &"x".repeat(TASK_INPUT_BYTES_MAX)), Err(InputError::TooLarge));
        let one = open(&board, "k", &large).unwrap();
        assert_eq!(open(&board, "k", &large), Err(InputError::TooLarge));
        // The answer has the room that the question had.
        let name = asked(&board).remove(0);
        let text = format!(r#"{{"action":"accept","content":{{"x":"{}"}}}}"#, "y".repeat(TASK_INPUT_BYTES_MAX - 60));
        assert!(answer(&board, &format!(r#"{{"{name}":{text}}}"#)));
        assert_eq!(board.inputs.borrow().read(0, one), Some(text.as_bytes()));
        board.inputs.borrow_mut().forget(0, one, NOW);
        let two = open(&board, "k", "?").unwrap();
        let name = asked(&board).remove(0);
        let text = format!(r#"{{"action":"accept","content":{{"x":"{}"}}}}"#, "y".repeat(TASK_INPUT_BYTES_MAX));
        assert!(answer(&board, &format!(r#"{{"{name}":{text}}}"#)));
        assert_eq!(poll(&board, two), Poll::Ready(Err(InputError::TooLarge)));
        assert!(asked(&board).is_empty());
        board.inputs.borrow_mut().forget(0, two, NOW);
    }
}

#[test]
fn an_answer_wakes_who_waits() {
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    let count = Arc::new(Count(AtomicU32::new(0)));
    let waker = Waker::from(count.clone());
    let ticket = open(&board, "k", "?").unwrap();
    let cx = Context::from_waker(&waker);
    assert!(board.inputs.borrow_mut().poll_answer(0, &cx, ticket).is_pending());
    assert!(answer(&board, &format!(r#"{{"k-1":{YES}}}"#)));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

#[test]
fn what_is_asked_is_news() {
    let mut lent = Lent::new(1);
    let board = board(&mut lent);
    let mut seen = vec![board.news(0)];
    let ticket = open(&board, "k", "?").unwrap();
    seen.push(board.news(0));
    assert!(answer(&board, r#"{"other":{}}"#));
    assert_eq!(board.news(0), seen[1], "what is not taken is none");
    assert!(answer(&board, &format!(r#"{{"k-1":{YES}}}"#)));
    seen.push(board.news(0));
    board.inputs.borrow_mut().forget(0, ticket, NOW);
    assert_eq!(board.news(0), seen[2], "nobody saw it any more");
    assert!(seen[0] != seen[1] && seen[1] != seen[2]);
    board.look(0, |view| assert_eq!(view.changed_unix_s, 7));
}
