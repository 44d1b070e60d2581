//! The board's sensors over time: what clients read of them, and what those that are subscribed hear.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use crate::support::example::emulated;
use crate::support::machine::{Folder, Machine, updated};
use crate::support::{until, wire};
use serde_json::json;

/// A machine with a sensor of each kind.
const MACHINE: [(&str, &str); 14] = [
    ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
    ("sys/class/thermal/thermal_zone0/temp", "48700\n"),
    ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
    ("sys/class/hwmon/hwmon0/temp1_input", "48700\n"),
    ("sys/class/hwmon/hwmon1/name", "ina219\n"),
    ("sys/class/hwmon/hwmon1/in1_input", "5104\n"),
    ("sys/class/hwmon/hwmon1/in1_label", "supply\n"),
    ("sys/class/hwmon/hwmon2/name", "w1_slave_temp\n"),
    ("sys/class/hwmon/hwmon2/temp1_input", "23125\n"),
    (
        "sys/bus/w1/devices/28-0316a2794bff/w1_slave",
        "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n",
    ),
    ("sys/bus/iio/devices/iio:device0/name", "bme280\n"),
    ("sys/bus/iio/devices/iio:device0/in_humidityrelative_input", "41230\n"),
    ("sys/bus/iio/devices/iio:device0/in_pressure_raw", "51200\n"),
    ("sys/bus/iio/devices/iio:device0/in_pressure_scale", "0.002\n"),
];
const W1: &str = "sys/bus/w1/devices/28-0316a2794bff/w1_slave";

#[test]
fn all_that_can_be_read_is_offered_without_configuration() {
    let mut board = Machine::start(Folder::new(&MACHINE), "");
    let expected = "\
cpu-thermal: 48.7 °C (temperature, cpu-thermal (thermal_zone0))
28-0316a2794bff: 23.1 °C (temperature, 1-wire thermometer 28-0316a2794bff)
bme280.humidityrelative: 41.23 % (humidity, bme280 humidityrelative)
bme280.pressure: 102.40 kPa (pressure, bme280 pressure)
ina219.in1: 5.10 V (voltage, ina219 supply)
";
    let mut lines: Vec<&str> = expected.lines().collect();
    let (is_error, text) = board.call("sensors", &json!({}));
    let mut told: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    told.sort_unstable();
    assert_eq!((is_error, told), (false, lines));
    let list = board.read("board://sensors");
    let uris: Vec<&str> = list.as_array().unwrap().iter().map(|it| it["uri"].as_str().unwrap()).collect();
    assert!(uris.contains(&"board://sensor/bme280.pressure") && uris.len() == 5, "{list}");
    let one = board.read("board://sensor/28-0316a2794bff");
    assert_eq!((&one["value"], &one["unit"], &one["problem"]), (&json!(23.125), &json!("°C"), &json!(null)), "{one}");
    let completed = board.ask(
        "completion/complete",
        &json!({"ref": {"type": "ref/resource", "uri": "board://sensor/{name}"}, "argument": {"name": "name", "value": "bme"}}),
    );
    assert_eq!(completed["result"]["completion"]["values"], json!(["bme280.humidityrelative", "bme280.pressure"]));
    let none = board.ask("resources/read", &json!({"uri": "board://sensor/nothing"}));
    assert_eq!(none["error"]["code"], -32002, "{none}");
}

#[test]
fn a_name_stays_with_the_device_and_not_with_its_number() {
    let dir = Folder::new(&[
        ("sys/devices/i2c-1/1-0076/iio:device3/name", "bme280\n"),
        ("sys/devices/i2c-1/1-0076/iio:device3/in_temp_input", "21500\n"),
        ("sys/devices/i2c-1/1-0040/hwmon/hwmon7/name", "ina219\n"),
        ("sys/devices/i2c-1/1-0040/hwmon/hwmon7/in1_input", "5104\n"),
    ]);
    let link = |from: &str, to: &str| {
        let from = dir.path("root").join(from);
        fs::create_dir_all(from.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, from).unwrap();
    };
    link("sys/bus/iio/devices/iio:device3", "../../../devices/i2c-1/1-0076/iio:device3");
    link("sys/class/hwmon/hwmon7", "../../devices/i2c-1/1-0040/hwmon/hwmon7");
    link("sys/devices/i2c-1/1-0040/hwmon/hwmon7/device", "../../../1-0040");
    let mut board = Machine::start(dir, "");
    let (_, text) = board.call("sensors", &json!({}));
    assert!(text.contains("bme280-1-0076.temp: 21.5 °C") && text.contains("ina219-1-0040.in1: 5.10 V"), "{text}");
}

#[test]
fn subscribers_hear_of_what_changed_enough_and_not_too_often() {
    let config = "[sensor.room]\nid = \"cpu-thermal\"\nthreshold = 2\ninterval-seconds = 0.5\nhistory = 4\n";
    let mut board = Machine::start(Folder::new(&MACHINE), config);
    let uri = "board://sensor/room";
    let temperature =
        |board: &Machine, milli: u32| board.dir.write("sys/class/thermal/thermal_zone0/temp", &format!("{milli}\n"));
    assert_eq!(board.read(uri)["value"], 48.7);
    // A client may spell it in another way, and hears of it in its own.
    let spelled = "board://sensor/ro%6Fm";
    let mut stream = board.subscribe(&[spelled]);
    // Less than the threshold, and then more.
    temperature(&board, 50_000);
    until("it was looked at again", || (board.read(uri)["value"] == 50.0).then_some(()));
    temperature(&board, 51_000);
    let first = Instant::now();
    assert_eq!(updated(&mut stream), spelled);
    assert_eq!(board.read(uri)["value"], 51.0);
    temperature(&board, 60_000);
    assert_eq!(updated(&mut stream), spelled);
    temperature(&board, 30_000);
    assert_eq!(updated(&mut stream), spelled);
    assert!(first.elapsed() > Duration::from_millis(900), "{:?}", first.elapsed());
    // What it knows now is all that it was told; the history is what was seen, and no more than was asked for.
    let one = until("four values", || {
        let one = board.read(uri);
        (one["history"]["samples"].as_array().unwrap().len() == 4).then_some(one)
    });
    assert_eq!((&one["threshold"], &one["least_interval_seconds"]), (&json!(2.0), &json!(0.5)), "{one}");
    let samples = one["history"]["samples"].as_array().unwrap();
    let values: Vec<f64> = samples.iter().map(|sample| sample[1].as_f64().unwrap()).collect();
    let of = |key: &str| one["history"][key].as_f64().unwrap();
    assert_eq!((of("min"), of("max")), (30.0, values.iter().copied().fold(0.0, f64::max)), "{one}");
    let mean = values.iter().sum::<f64>() / 4.0;
    assert!((of("mean") - mean).abs() < 0.001, "{one}");
    assert!(samples.windows(2).all(|pair| pair[0][0].as_f64() > pair[1][0].as_f64()), "{one}");
    let (_, text) = board.call("sensor", &json!({"name": "room"}));
    assert!(text.starts_with("room: 30.0 °C (temperature, ") && text.contains("least 30.0, greatest "), "{text}");
}

#[test]
fn nobody_is_looked_at_for_nothing() {
    let mut board = Machine::start(
        Folder::new(&MACHINE),
        "[sensor.a]\nid = \"cpu-thermal\"\ninterval-seconds = 0.1\n[sensor.b]\nid = \"ina219.in1\"\ninterval-seconds = 0.1\nevery-seconds = 0.2\n",
    );
    std::thread::sleep(Duration::from_millis(1200));
    let count = |board: &mut Machine, name: &str| board.read(name)["history"]["samples"].as_array().unwrap().len();
    assert_eq!(count(&mut board, "board://sensor/a"), 1);
    assert!(count(&mut board, "board://sensor/b") >= 4);
}

#[test]
fn what_cannot_be_or_is_gone_is_told_and_is_news() {
    let config = "[sensor.pool]\nid = \"28-0316a2794bff\"\ninterval-seconds = 0.2\nplausible = [-20, 60]\n";
    let mut board = Machine::start(Folder::new(&MACHINE), config);
    let uri = "board://sensor/pool";
    assert_eq!(board.read(uri)["value"], 23.125);
    let mut stream = board.subscribe(&[uri]);
    std::thread::sleep(Duration::from_millis(300));
    let w1 = |data: &str, crc: &str, milli: i32| format!("{data} : crc=57 {crc}\n{data} t={milli}\n");
    let data = "72 01 4b 46 7f ff 0e 10 57";
    for (text, problem) in [
        (w1(data, "NO", 23_125), "the checksum is wrong"),
        (w1(data, "YES", 85_000), "not believed: 85 is outside"),
        (w1("00 00 00 00 00 00 00 00 00", "YES", 0), "nothing but zeros came"),
        ("nonsense\n".to_owned(), "not understood"),
    ] {
        board.dir.write(W1, &text);
        assert_eq!(updated(&mut stream), uri);
        let one = board.read(uri);
        assert!(one["value"].is_null() && one["problem"].as_str().unwrap().contains(problem), "{one}");
        assert_eq!((&one["history"]["max"], &one["history"]["min"]), (&json!(23.125), &json!(23.125)), "{one}");
        // It works again.
        board.dir.write(W1, &w1(data, "YES", 23_125));
        assert_eq!(updated(&mut stream), uri);
        assert_eq!(board.read(uri)["value"], 23.125);
    }
    fs::remove_dir_all(board.dir.path("root/sys/bus/w1/devices/28-0316a2794bff")).unwrap();
    assert_eq!(updated(&mut stream), uri);
    let one = board.read(uri);
    assert!(one["problem"].as_str().unwrap().starts_with("not there now (no /sys/bus/w1/devices/28-"), "{one}");
    let (is_error, text) = board.call("sensor", &json!({"name": "pool"}));
    assert!(!is_error && text.starts_with("pool: not there now"), "{text}");
}

#[test]
fn who_may_not_read_a_sensor_does_not_see_it() {
    let config = "[sensor.safe]\nid = \"cpu-thermal\"\nusers = [\"anna\"]\n[sensor.gone]\nid = \"28-000000000000\"\n";
    let mut board = Machine::start(Folder::new(&MACHINE), config);
    let (_, text) = board.call("sensors", &json!({}));
    assert!(
        !text.contains("safe") && text.contains("gone: not there: no sensor of this machine has this id"),
        "{text}"
    );
    assert!(!board.read("board://sensors").to_string().contains("safe"));
    // It is as good as not there.
    let (is_error, text) = board.call("sensor", &json!({"name": "safe"}));
    assert!(
        is_error && text.starts_with("no sensor is called \"safe\"; there are: ") && !text[30..].contains("safe"),
        "{text}"
    );
    let read = board.ask("resources/read", &json!({"uri": "board://sensor/safe"}));
    assert_eq!(
        (&read["error"]["code"], &read["error"]["message"]),
        (&json!(-32002), &json!("resource not found")),
        "{read}"
    );
}

#[test]
fn a_sensor_that_comes_late_is_as_one_that_was_there() {
    let config = "[sensor.a]\nid = \"28-0316a2794bff\"\n[sensor.b]\nid = \"28-0316a2794bff\"\n";
    let mut board = Machine::start(Folder::new(&[]), config);
    let one = board.read("board://sensor/a");
    assert!(
        one["problem"].as_str().unwrap().contains("no sensor of this machine has this id")
            && one["threshold"].is_null(),
        "{one}"
    );
    board.dir.write(MACHINE[9].0, MACHINE[9].1);
    let (_, text) = board.call("sensors", &json!({}));
    assert!(text.contains("b: 23.1 °C"), "{text}");
    let one = board.read("board://sensor/b");
    assert_eq!((&one["value"], &one["threshold"]), (&json!(23.125), &json!(0.5)), "{one}");
}

#[test]
fn a_bus_that_hangs_holds_up_nobody_else() {
    let config = "[sensor.a]\nid = \"cpu-thermal\"\ninterval-seconds = 0.2\nthreshold = 1\n[sensor.b]\nid = \"28-0316a2794bff\"\n";
    let mut board = Machine::start(Folder::new(&MACHINE), config);
    // To open it for reading waits for one who writes, as the kernel's file waits for the bus.
    let file = board.dir.path("root").join(W1);
    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(board.read("board://sensor/a")["value"], 48.7);
    let mut stream = board.subscribe(&["board://sensor/a", "board://sensor/b"]);
    std::thread::sleep(Duration::from_millis(1500));
    // Less than who waits for the bus would take.
    let soon = Duration::from_secs(if emulated() { 5 } else { 2 });
    let begun = Instant::now();
    board.dir.write("sys/class/thermal/thermal_zone0/temp", "60000\n");
    assert_eq!(updated(&mut stream), "board://sensor/a");
    assert!(!board.call("memory", &json!({})).0);
    assert!(begun.elapsed() < soon, "{:?}", begun.elapsed());
    let one = board.read("board://sensor/b");
    assert!(one["problem"].as_str().unwrap().contains("no answer within 6 s"), "{one}");
    // Another slow one says at once who holds it up.
    let begun = Instant::now();
    let other = board.read("board://sensor/bme280.pressure");
    assert!(other["problem"].as_str().unwrap().ends_with(": b, for which all slow ones wait)"), "{other}");
    assert!(begun.elapsed() < soon, "{:?}", begun.elapsed());
    // One thread waits for it, and no more come; beside it there are the server's own and that of async-io.
    let threads = fs::read_dir(format!("/proc/{}/task", board.example.child.id())).unwrap().count();
    // An emulator has one more.
    assert_eq!(threads, 3 + usize::from(emulated()));
}

#[test]
fn a_chip_that_hangs_is_told_beside_the_others() {
    let files = [
        ("sys/devices/i2c-1/1-0048/hwmon/hwmon5/name", "lm75\n"),
        ("sys/devices/i2c-1/1-0048/hwmon/hwmon5/temp1_label", "case\n"),
        ("sys/class/power_supply/gauge/type", "Battery\n"),
    ];
    let dir = Folder::new(&MACHINE);
    for (path, text) in files {
        dir.write(path, text);
    }
    let root = dir.path("root");
    for (from, to) in [
        ("sys/class/hwmon/hwmon5", "../../devices/i2c-1/1-0048/hwmon/hwmon5"),
        ("sys/devices/i2c-1/1-0048/hwmon/hwmon5/device", "../../../1-0048"),
        ("sys/class/power_supply/gauge/device", "../../../devices/i2c-1/1-0048"),
    ] {
        std::os::unix::fs::symlink(to, root.join(from)).unwrap();
    }
    for file in ["hwmon5/temp1_input", "hwmon5/temp1_crit_alarm"] {
        let file = root.join("sys/class/hwmon").join(file);
        rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    }
    let mut board = Machine::start(dir, "");
    let mut other = board.example.connect();
    other.send(&wire::modern_call("t", "temperatures", &json!({})));
    // The others are served meanwhile.
    let begun = Instant::now();
    assert!(!board.call("memory", &json!({})).0);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!board.call("memory", &json!({})).0 && begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let text = other.answer().text();
    let told = "lm75 (hwmon5) case: not readable now (/sys/class/hwmon/hwmon5/temp1: no answer within 6 s)\n";
    assert!(text.contains("cpu-thermal (thermal_zone0): 48.7 °C") && text.contains(told), "{text}");
    // It has the place for as long as it hangs, of which all that wait for it are told at once.
    let begun = Instant::now();
    let (is_error, text) = board.call("overview", &json!({}));
    assert!(!is_error && text.contains("Hottest temperature: 48.7 °C"), "{text}");
    let (is_error, text) = board.call("power", &json!({}));
    assert!(is_error && text.contains("temperatures, for which all slow ones wait"), "{text}");
    let (_, text) = board.call("sensors", &json!({}));
    assert!(
        text.contains("\nalarms of chips on slow buses: not known (no answer within 6 s: temperatures, "),
        "{text}"
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // Where it answers again, all is as it was.
    for (file, text) in [("temp1_input", "21500\n"), ("temp1_crit_alarm", "1\n")] {
        let file = board.dir.path("root/sys/class/hwmon/hwmon5").join(file);
        let fifo =
            fs::File::options().write(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(&file);
        let new = file.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &file).unwrap();
        drop(fifo);
    }
    let text = until("it is read", || {
        Some(board.call("temperatures", &json!({})).1).filter(|text| text.contains("lm75 (hwmon5) case: 21.5 °C"))
    });
    assert!(text.contains("cpu-thermal"), "{text}");
    let text = until("it is looked at again", || {
        Some(board.call("sensors", &json!({})).1).filter(|text| text.contains("lm75-1-0048.temp1: 21.5 °C"))
    });
    assert!(text.contains("lm75 (hwmon5) case: ALARM RAISED"), "{text}");
    let (is_error, text) = board.call("power", &json!({}));
    assert!(!is_error && text.contains("gauge: Battery"), "{text}");
}
