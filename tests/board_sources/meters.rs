//! Sensors of all kinds as one kind of thing, the watchdog, and the power.

use super::sources::meters::{self, ID_BYTES_MAX};
use super::sources::secrets::{From, masked};
use super::sources::{onewire, power, watchdog};
use super::{Root, fixture, rendered, tree};

fn garden() -> Root {
    Root::new(fixture("garden"))
}

#[test]
fn each_has_a_name_a_unit_and_a_value() {
    let root = garden();
    let told: Vec<String> = meters::list(&root)
        .iter()
        .map(|meter| format!("{} {} {:.4}{}", meter.id, meter.quantity, meter.read(&root).unwrap(), meter.unit))
        .collect();
    let expected = [
        "bme280.humidityrelative humidity 41.2300%",
        "bme280.pressure pressure 101.3250kPa",
        "bme280.temp temperature 21.8700°C",
        "ads1115.voltage0 voltage 1.6500V",
        "ads1115.voltage0-voltage1 voltage -0.1000V",
        // Without a scale it is a bare number.
        "ads1115.voltage1 voltage 7.0000",
        "mpu6050.accel_x acceleration 9.7976m/s²",
        "mpu6050.intensity_both light intensity 311.0000",
        "mpu6050.temp temperature 29.6147°C",
        "10-000802be73fa temperature 24.8750°C",
        "28-0316a2794bff temperature 23.1250°C",
    ];
    assert_eq!(told, expected);
    assert_eq!(meters::list(&root)[5].label, "ads1115 soil");
}

#[test]
fn two_of_one_name_are_told_apart() {
    let long = format!("{}\n", "x".repeat(200));
    let files: [(&str, &[u8]); 6] = [
        ("sys/class/hwmon/hwmon0/name", b"nct\n"),
        ("sys/class/hwmon/hwmon0/in1_input", b"1\n"),
        ("sys/class/hwmon/hwmon1/name", b"nct\n"),
        ("sys/class/hwmon/hwmon1/in1_input", b"2\n"),
        ("sys/class/thermal/thermal_zone0/type", long.as_bytes()),
        ("sys/class/thermal/thermal_zone1/type", b"a b/\xc3\xa4%\n"),
    ];
    let dir = tree(&files);
    let ids: Vec<String> = meters::list(&Root::new(dir.path())).into_iter().map(|meter| meter.id).collect();
    assert_eq!(ids[1..], ["a_b___", "nct.in1", "nct.in1_2"]);
    assert!(ids[0].len() <= ID_BYTES_MAX && ids[0].starts_with("xxx"), "{ids:?}");
}

#[test]
fn what_a_bus_says_is_not_believed_without_its_checksum() {
    let read = |file: &str, text: &str| {
        let device = "sys/bus/w1/devices/28-000000000001";
        let dir = tree(&[(&format!("{device}/{file}"), text.as_bytes())]);
        onewire::read(&Root::new(dir.path()), device).map_err(|lack| lack.to_string())
    };
    let data = "72 01 4b 46 7f ff 0e 10 57";
    let both = |check: &str, value: &str| read("w1_slave", &format!("{data} : crc=57 {check}\n{data} {value}\n"));
    assert_eq!(both("YES", "t=-125"), Ok(-0.125));
    for (answer, what) in [
        (both("NO", "t=23125"), "the checksum is wrong"),
        (both("YES", "t="), "does not hold a temperature"),
        (both("YES", "23125"), "does not hold a temperature"),
        (both("YES", "t=99999999999"), "does not hold a temperature"),
        (read("w1_slave", data), "does not hold a checksum"),
        (read("w1_slave", "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 t=0\n"), "nothing but zeros"),
        (read("temperature", "warm\n"), "does not hold a number"),
        (read("other", ""), "not on this machine"),
    ] {
        assert!(answer.as_ref().is_err_and(|lack| lack.contains(what)), "{what}: {answer:?}");
    }
    // A number that is none.
    let dir = tree(&[("sys/bus/iio/devices/iio:device0/in_temp_input", b"inf\n")]);
    let root = Root::new(dir.path());
    assert!(meters::list(&root)[0].read(&root).is_err());
}

#[test]
fn watchdogs_and_power_are_told() {
    let expected = "\
watchdog0: Broadcom BCM2835 Watchdog timer, state active, restarts the machine after 15 s without a sign of life, 12 s left, can be stopped; \
before the last start: restarted by this watchdog
watchdog1: this kernel tells nothing of its state
";
    assert_eq!(rendered(watchdog::read(&garden())), expected);
    let expected = "\
BAT0: Battery, Discharging, 81 % full, 3.92 V, -0.412 A, health: Good, lasts 4 h 0 min
usb: USB, feeds the machine
Voltage: TOO LOW NOW
Throttling: now under-voltage, throttled; earlier under-voltage, throttled
";
    assert_eq!(rendered(power::read(&garden())), expected);
}

#[test]
fn likely_secrets_are_masked() {
    for (text, expected) in [
        ("a --api-token abc --password=def x", "a --api-token *** --password=*** x"),
        ("--token abc def", "--token *** def"),
        ("--header Authorization: Bearer abc", "--header Authorization: Bearer ***"),
        ("secret:abc secret: abc d", "secret:*** secret: *** d"),
    ] {
        assert_eq!(masked(text.split(' '), From::CommandLine), expected);
    }
    for (text, expected) in [
        ("Failed password for root", "Failed password for root"),
        ("12:00:01 password=a  token: b c", "12:00:01 password=***  token: *** c"),
        ("token:  a b", "token:  *** b"),
        ("Authorization: Bearer a b", "Authorization: Bearer *** b"),
        ("token: Bearer a b", "token: Bearer *** b"),
        ("\"api_key\":\"a\",", "\"api_key\":***"),
        ("{\"a\":1,\"token\":\"abc\"}", "{\"a\":1,\"token\":***"),
        ("GET https://h/x?access_token=abc HTTP/1.1", "GET https://h/x?access_token=*** HTTP/1.1"),
        ("a=1&token=abc web[7]:password=abc psk=x", "a=1&token=*** web[7]:password=*** psk=***"),
        ("COMMAND=/usr/bin/mysql --password hunter2 x", "COMMAND=/usr/bin/mysql --password *** x"),
        ("password = abc d", "password = *** d"),
        ("Authorization: Basic abc d", "Authorization: Basic *** d"),
        ("https://u:pw@host/ http://host:80/x", "https://u:*** http://host:80/x"),
    ] {
        assert_eq!(masked(text.split(' '), From::Log), expected, "{text}");
    }
}

#[test]
fn a_scale_may_be_that_of_all() {
    let device = "sys/bus/iio/devices/iio:device0";
    for (scale, value) in [
        ("in_voltage0_scale", 2.0),
        ("in_voltage_scale", 2.0),
        ("in_scale", 2.0),
        ("scale", 2.0),
        ("out_scale", 1_000.0),
    ] {
        let dir = tree(&[
            (&format!("{device}/in_voltage0_raw"), b"1000"),
            (&format!("{device}/{scale}"), b"2"),
            (&format!("{device}/name"), b"adc"),
        ]);
        let root = Root::new(dir.path());
        let meter = &meters::list(&root)[0];
        assert_eq!(meter.read(&root), Ok(value), "{scale}");
        assert_eq!(meter.unit, if scale == "out_scale" { "" } else { "V" }, "{scale}");
    }
    // Two numbers that are some, and together none.
    let dir = tree(&[(&format!("{device}/in_voltage0_raw"), b"1e300"), (&format!("{device}/in_scale"), b"1e300")]);
    let lack = meters::list(&Root::new(dir.path()))[0].read(&Root::new(dir.path())).unwrap_err();
    assert!(lack.to_string().starts_with("not understood (/sys/bus/iio/devices/iio:device0/in_voltage0_raw"), "{lack}");
}

#[test]
fn zero_degrees_of_a_bus_without_power_are_none() {
    let device = "sys/bus/w1/devices/28-000000000001";
    let read = |files: &[(&str, &str)]| {
        let files: Vec<(String, &[u8])> =
            files.iter().map(|(file, text)| (format!("{device}/{file}"), text.as_bytes())).collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        onewire::read(&Root::new(tree(&files).path()), device).map_err(|lack| lack.to_string())
    };
    let zeros = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 t=0\n";
    let cold = "00 00 4b 46 7f ff 0e 10 57 : crc=57 YES\n00 t=0\n";
    assert_eq!(read(&[("temperature", "0\n"), ("w1_slave", cold)]), Ok(0.0));
    assert_eq!(read(&[("temperature", "0\n")]), Ok(0.0));
    assert_eq!(read(&[("temperature", "62\n"), ("w1_slave", zeros)]), Ok(0.062));
    let dead = read(&[("temperature", "0\n"), ("w1_slave", zeros)]);
    assert!(dead.as_ref().is_err_and(|lack| lack.contains("nothing but zeros")), "{dead:?}");
}

#[test]
fn what_is_great_is_told() {
    // A charger of 3 kW, in microwatts.
    let dir = tree(&[
        ("sys/class/hwmon/hwmon0/name", b"charger\n"),
        ("sys/class/hwmon/hwmon0/power1_input", b"3000000000\n"),
        ("sys/class/power_supply/USB/type", b"USB\n"),
        ("sys/class/power_supply/USB/power_now", b"3000000000\n"),
    ]);
    let root = Root::new(dir.path());
    assert_eq!(meters::list(&root)[0].read(&root), Ok(3_000.0));
    assert!(rendered(power::read(&root)).contains("3000.00 W"), "{}", rendered(power::read(&root)));
}

#[test]
fn those_that_are_named_are_found_behind_many_others() {
    let files: Vec<(String, &[u8])> =
        (0..250).map(|number| (format!("sys/class/hwmon/hwmon0/in{number}_input"), b"1".as_slice())).collect();
    let mut files: Vec<(&str, &[u8])> = files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    files.push(("sys/bus/w1/devices/28-000000000001/temperature", b"1"));
    let dir = tree(&files);
    assert!(meters::list(&Root::new(dir.path())).iter().any(|meter| meter.id == "28-000000000001"));
}
