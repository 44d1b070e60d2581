//! What the board example does where the kernel does not set an output.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::config;
use crate::control::Control;
use crate::control::held::Output as _;
use crate::control::pwm::Pwm;
use crate::hardware::Fault;
use crate::hardware::gpio::{Edge, Edges, Line};
use crate::hardware::pwm::{self, Channel as _, Signal};
use crate::hardware::sim_pwm::SimChannel;
use crate::sources;
use crate::sources::root::{Lack, Why};
use smol_mcp::ClientEvent;

const LINES: &str = "[gpio.one]\nchip = \"sim\"\nline = 1\ndirection = \"output\"\n[gpio.two]\nchip = \"sim\"\nline = 2\ndirection = \"output\"\n";

/// A line that refuses to be set so many times, and when it was set.
#[derive(Default)]
struct Stubborn {
    refuses: Cell<u32>,
    panics: bool,
    sets: RefCell<Vec<(Instant, bool)>>,
}

impl Line for Stubborn {
    fn is_active(&self) -> Result<bool, Fault> {
        // As where another device pulls the wire to what is safe.
        Ok(false)
    }

    fn set(&self, active: bool) -> Result<(), Fault> {
        assert!(!self.panics, "as a bug does");
        self.sets.borrow_mut().push((Instant::now(), active));
        let left = self.refuses.get();
        self.refuses.set(left.saturating_sub(1));
        if left == 0 { Ok(()) } else { Err("no answer".to_owned()) }
    }

    fn watch(&self, _: Option<Edges>) -> Result<(), Fault> {
        Ok(())
    }

    fn poll_edge(&self, _: &mut Context<'_>) -> Poll<Result<Edge, Fault>> {
        Poll::Pending
    }
}

/// The control of two outputs, the first of which is this one.
fn control(first: Stubborn) -> (Rc<Control>, [Rc<Stubborn>; 2]) {
    let config = config::parse("board.toml".to_owned(), LINES).unwrap();
    let control = Control::new(&config, &sources::root::Root::new(Path::new("/")), false);
    let lines = [Rc::new(first), Rc::new(Stubborn::default())];
    for (line, taken) in control.lines.iter().zip(&lines) {
        line.taken.replace(Some(taken.clone()));
    }
    (control, lines)
}

#[test]
fn a_safe_state_that_could_not_be_set_is_tried_again() {
    let (control, [first, second]) = control(Stubborn { refuses: Cell::new(2), ..Stubborn::default() });
    control.lines[0].release("a test");
    assert!(control.lines[0].held().until().is_some(), "something is left to do");
    let time = async {
        smol::Timer::after(Duration::from_millis(3_500)).await;
    };
    smol::block_on(smol::future::or(time, async {
        control.keep().await;
    }));
    let sets = first.sets.borrow();
    let gaps: Vec<u128> = sets.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect();
    // After a second, and then after two: not at once, and no more once it is done.
    assert!(matches!(gaps.as_slice(), [1_000..1_400, 2_000..2_400]), "{gaps:?}");
    assert!(sets.iter().all(|(_, active)| !active) && second.sets.borrow().is_empty());
    assert_eq!(control.lines[0].held().until(), None);
}

#[test]
fn what_is_wrong_with_one_output_leaves_the_others_safe() {
    let (control, [_, second]) = control(Stubborn { panics: true, ..Stubborn::default() });
    control.on_client(&ClientEvent::Went { id: 1 });
    assert!(second.sets.borrow().is_empty(), "that client held nothing");
    drop(control);
    assert_eq!(second.sets.borrow().len(), 1, "it is set, whatever its wire says");
}

type Refuses = dyn FnMut(&str) -> Option<Why>;

/// A PWM channel of a chip that refuses some of what is written, as this says of each file.
struct Channel {
    sim: SimChannel,
    refuses: RefCell<Box<Refuses>>,
}

impl Channel {
    fn new(now: Signal, refuses: impl FnMut(&str) -> Option<Why> + 'static) -> Rc<Self> {
        let channel = Self { sim: SimChannel::default(), refuses: RefCell::new(Box::new(|_| None)) };
        pwm::set(&channel, now, &(0.0..=100.0)).unwrap();
        channel.refuse(refuses);
        Rc::new(channel)
    }

    fn refuse(&self, what: impl FnMut(&str) -> Option<Why> + 'static) {
        *self.refuses.borrow_mut() = Box::new(what);
    }
}

impl pwm::Channel for Channel {
    fn export(&self) -> Result<(), Lack> {
        Ok(())
    }

    fn read(&self) -> Result<Signal, Lack> {
        self.sim.read()
    }

    fn write(&self, file: &'static str, value: &str) -> Result<(), Lack> {
        match (self.refuses.borrow_mut())(file) {
            Some(why) => Err(Lack::new(file, why)),
            None => self.sim.write(file, value),
        }
    }
}

/// The fan of this configuration, on this channel.
fn fan(settings: &str, channel: &Rc<Channel>) -> Pwm {
    let text = format!("[pwm.fan]\nchip = 0\nchannel = 0\n{settings}");
    let config = config::parse("board.toml".to_owned(), &text).unwrap();
    Pwm::new(config.pwm[0].clone(), channel.clone(), smol::channel::bounded(1).0)
}

const fn running(period_ns: u64, duty_ns: u64) -> Signal {
    Signal { period_ns, duty_ns, enabled: true, inversed: false }
}

#[test]
fn a_channel_comes_from_anything_to_anything_as_the_kernel_has_it() {
    let times = [
        (2_500_000, 0),
        (2_500_000, 62_500),
        (2_500_000, 312_500),
        (2_500_000, 2_500_000),
        (20_000_000, 500_000),
        (20_000_000, 2_500_000),
        (4_000_000_000, 500_000_000),
        (40, 5),
    ];
    let fresh = Signal { period_ns: 0, duty_ns: 0, enabled: false, inversed: false };
    let all = || {
        times.into_iter().flat_map(|(period_ns, duty_ns)| {
            [(false, false), (false, true), (true, false), (true, true)].map(|(enabled, inversed)| Signal {
                period_ns,
                duty_ns,
                enabled,
                inversed,
            })
        })
    };
    // A servo, a fan, a lamp, and a converter whose part is fixed.
    for percent in [2.5..=12.5, 20.0..=100.0, 0.0..=100.0, 12.5..=12.5] {
        for (now, wanted) in all().chain([fresh]).flat_map(|now| all().map(move |wanted| (now, wanted))) {
            let (one, other) = (now.percent(), wanted.percent());
            // Where all may be had, it is on the way for no longer active than before or after.
            let most = if *percent.start() == 0.0 { one.max(other) } else { one.max(other).max(*percent.end()) };
            let least = one.min(other).min(*percent.start());
            let least = if most < 2.0 * least { 0.0 } else { least };
            let channel = Channel::new(now, |_| None);
            let steps = pwm::steps(now, wanted, &percent);
            assert!(steps.len() <= 70, "{now:?} -> {wanted:?}: {}", steps.len());
            for (file, value) in steps {
                let written = channel.write(file, &value);
                assert_eq!(written, Ok(()), "{now:?} -> {wanted:?}: {file} {value}");
                let then = channel.read().unwrap();
                // Nanoseconds are whole; of some dozen of them that is much.
                let slack = if then.period_ns < 1_000 { 5.0 } else { 0.001 };
                let is_within = (least - slack..=most + slack).contains(&then.percent());
                assert!(!then.enabled || is_within, "{now:?} -> {wanted:?}: {then:?} after {file} {value}");
            }
            assert_eq!(channel.read(), Ok(wanted), "from {now:?}");
        }
    }
}

const FAN: &str = "hertz = [50, 25000]\npercent = [20, 100]\nsafe-percent = 60\n";

/// What a chip does of which another channel has the period.
fn shared(file: &str) -> Option<Why> {
    (file == "period").then(|| Why::Failed("EBUSY".to_owned()))
}

#[test]
fn the_safe_part_of_a_period_that_is_shared_is_safe() {
    for (settings, safe) in [
        (FAN, running(5_000_000, 3_000_000)),
        ("hertz = 50\n", Signal { enabled: false, ..running(5_000_000, 0) }),
        ("hertz = 50\ninversed = true\nsafe-percent = 5\n", Signal { inversed: true, ..running(5_000_000, 250_000) }),
    ] {
        let channel = Channel::new(running(5_000_000, 4_500_000), shared);
        let fan = fan(settings, &channel);
        smol::block_on(fan.begin());
        assert_eq!(channel.read(), Ok(safe), "{settings}");
        assert_eq!(fan.held().until(), None, "nothing is left to do");
        // And so at the end.
        let faster = fan.signal(5_000_000, Some(80.0));
        smol::block_on(fan.set(faster, || Ok(()))).unwrap();
        assert_eq!(channel.read(), Ok(faster));
        fan.release("a test");
        assert_eq!((channel.read(), fan.held().until()), (Ok(safe), None), "{settings}");
    }
}

#[test]
fn a_channel_that_could_not_be_made_safe_is_tried_again() {
    let mut left = 3;
    let channel = Channel::new(running(40_000, 4_000), move |_| {
        left -= 1;
        (left >= 0).then(|| Why::Failed("EIO".to_owned()))
    });
    let fan = fan("hertz = 25000\nsafe-percent = 60\n", &channel);
    smol::block_on(fan.begin());
    for _ in 0..2 {
        assert!(fan.held().until().is_some(), "something is left to do");
        fan.again();
    }
    assert_eq!(channel.read(), Ok(running(40_000, 4_000)));
    fan.again();
    assert_eq!((channel.read(), fan.held().until()), (Ok(running(40_000, 24_000)), None));
}

#[test]
fn a_channel_that_is_set_half_way_goes_to_its_safe_state() {
    // Its period gets shorter, so that its active part is written first; and the chip does not take the period.
    let channel = Channel::new(running(40_000, 24_000), |_| None);
    let fan = fan(FAN, &channel);
    smol::block_on(fan.begin());
    let safe = fan.safe();
    assert_eq!(channel.read(), Ok(safe));
    channel.refuse(shared);
    let error = smol::block_on(fan.set(fan.signal(10_000_000, Some(30.0)), || Ok(()))).unwrap_err();
    assert!(error.to_string().contains("EBUSY"), "{error}");
    assert_eq!((channel.read(), fan.held().until()), (Ok(safe), None));
}

#[test]
fn a_channel_whose_files_become_ours_one_by_one_is_not_left_half_way() {
    // The active part may be written, and the rest may not.
    let channel = Channel::new(running(20_000_000, 12_000_000), |_| None);
    let fan = fan(FAN, &channel);
    channel.refuse(|file| (file != "duty_cycle").then_some(Why::Denied));
    let wanted = fan.signal(5_000_000, Some(30.0));
    smol::block_on(fan.set(wanted, || Ok(()))).unwrap_err();
    assert_eq!((channel.read(), fan.held().until()), (Ok(fan.safe()), None));
    // Nor where whoever sets it is gone meanwhile.
    let asked = Cell::new(0);
    let may = || {
        asked.set(asked.get() + 1);
        if asked.get() < 3 {
            return Ok(());
        }
        channel.refuse(|_| None);
        Err("gone".into())
    };
    smol::block_on(fan.set(wanted, may)).unwrap_err();
    assert_eq!((channel.read(), asked.get()), (Ok(fan.safe()), 3));
}
