//! What a Raspberry Pi 4 tells, and what an empty machine does not.

use super::sources::processes::{self, Order, Wanted};
use super::sources::{disks, host, leds, memory, netlink, network, root::Root, sensors, temperatures};
use super::{all_reports, copy_of, fixture, json, rendered, tree};

fn pi() -> Root {
    Root::new(fixture("pi"))
}

#[test]
fn host_tells_what_machine_it_is() {
    let report = rendered(Ok(host::read(&pi())));
    let expected = "\
Host name: raspberrypi
Model: Raspberry Pi 4 Model B Rev 1.4
System: Debian GNU/Linux 12 (bookworm)
Linux kernel: 6.6.31+rpt-rpi-v8
Architecture: aarch64
CPU: Cortex-A72, 4 cores, 600 MHz now (of 600 to 1800 MHz), governor ondemand
Up for: 3 days 3 h 52 min
Started at: 2026-01-01 00:00:00 UTC
Load average: 0.52 (1 min), 0.41 (5 min), 0.30 (15 min); 4 would be all cores busy
";
    assert_eq!(report, expected);
}

#[test]
fn host_falls_back_to_what_other_machines_have() {
    let pc = tree(&[
        ("sys/class/dmi/id/product_name", b"NUC7i5BNK\n"),
        ("sys/class/dmi/id/sys_vendor", b"Intel\n"),
        ("proc/version", b"Linux version 5.10.0-8-amd64 (debian) #1\n"),
        (
            "proc/cpuinfo",
            b"processor\t: 0\nmodel name\t: Intel(R) Core(TM) i5\ncpu MHz\t\t: 2200.015\n\nprocessor\t: 1\n",
        ),
        ("usr/lib/os-release", b"NAME='Some OS'\n"),
    ]);
    let report = host::read(&Root::new(pc.path()));
    assert_eq!(report.model.value().map(String::as_str), Some("Intel NUC7i5BNK"));
    assert_eq!(report.kernel.value().map(String::as_str), Some("5.10.0-8-amd64"));
    assert_eq!(report.os.value().map(String::as_str), Some("Some OS"));
    assert_eq!(report.cpu.to_string(), "Intel(R) Core(TM) i5, 2 cores, 2200 MHz now");
    let single = tree(&[("proc/cpuinfo", b"system type\t: MT7621\nprocessor\t: 0\ncpu model\t: MIPS 1004Kc V2.15\n")]);
    assert_eq!(host::read(&Root::new(single.path())).cpu.to_string(), "MIPS 1004Kc V2.15, 1 core");
    let mixed = tree(&[
        ("proc/cpuinfo", b"CPU part\t: 0xd03\nCPU part\t: 0xd03\nCPU part\t: 0xd08\n"),
        ("sys/devices/system/cpu/online", b"0-2,5\n"),
    ]);
    assert_eq!(host::read(&Root::new(mixed.path())).cpu.to_string(), "Cortex-A53 + Cortex-A72, 4 cores");
}

#[test]
fn memory_tells_what_is_left() {
    let report = memory::read(&pi());
    assert_eq!(json(report.as_ref().unwrap())["available_bytes"], 3_012_432_u64 * 1024);
    let expected = "\
Memory: 3.70 GiB total, 851 MiB used (22 %), 2.87 GiB available
Buffers and cache: 1.51 GiB (mostly given back when needed)
Swap: 199 MiB total, 12.0 MiB used (6 %)
";
    assert_eq!(rendered(report), expected);
    let old = tree(&[("proc/meminfo", b"MemTotal: 60000 kB\nMemFree: 100 kB\n")]);
    let text = rendered(memory::read(&Root::new(old.path())));
    assert!(text.contains("58.5 MiB total; this kernel does not tell what is available"), "{text}");
    assert!(text.contains("Swap: none"), "{text}");
}

#[test]
fn disks_are_those_with_files_and_no_server_is_asked() {
    let report = disks::read(&pi());
    assert_eq!(json(report.as_ref().unwrap())["disks"][0]["space"]["size_only"]["size_bytes"], 61_280_256_u64 * 512);
    let text = rendered(report);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "/ (/dev/mmcblk0p2, ext4): size 29.2 GiB; how full it is is not told");
    assert!(lines[1].starts_with("/boot/firmware (/dev/mmcblk0p1, vfat): size 512 MiB"), "{text}");
    assert!(lines[2].starts_with("/media/pi/My Disk (/dev/sda1, ext4, read-only): size not on this machine"), "{text}");
    assert!(lines[3].starts_with("/mnt/films (nas.local:/export/films, nfs4): not asked"), "{text}");
    assert!(lines[4].starts_with("/mnt/films/local (/dev/sdb1, ext4): not asked"), "{text}");
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn disks_of_this_machine_are_asked_how_full_they_are() {
    let root = Root::new("/");
    assert!(root.is_live() && !pi().is_live());
    // A build machine may have no disk of its own, but it has something mounted.
    let text = rendered(disks::read(&root));
    assert!(text.contains("available") || text.contains("not "), "{text}");
}

#[test]
fn network_tells_addresses_and_counters() {
    let report = network::read(&pi());
    assert_eq!(json(report.as_ref().unwrap())["interfaces"][0]["sent"]["bytes"], 912_680_550);
    let expected = "\
eth0: state up, 1000 Mbit/s, MTU 1500, MAC dc:a6:32:01:02:03, addresses 192.168.1.40/24 fe80::dea6:32ff:fe01:203/64 2001:db8:1::40/64
  received 7.00 GiB, 3 errors, 0 dropped; sent 870 MiB, 0 errors, 0 dropped
lo: state unknown, MTU 65536, addresses 127.0.0.1/8 ::1/128
  received 1.00 MiB; sent 1.00 MiB
wlan0: state up, wireless, signal -52 dBm, MTU 1500, MAC dc:a6:32:01:02:04, addresses 10.0.3.17/16
  received 460 MiB, 0 errors, 0 dropped; sent 70.0 MiB, 0 errors, 0 dropped
Default route: 192.168.1.1 by eth0
Default route: 10.0.0.1 by wlan0
Default route: fe80::1 by eth0
";
    assert_eq!(rendered(report), expected);
}

#[test]
fn an_address_on_a_shared_network_is_not_guessed() {
    let files: [(&str, &[u8]); 4] = [
        ("sys/class/net/eth0/operstate", b"up\n"),
        ("sys/class/net/wlan0/operstate", b"up\n"),
        ("proc/net/route", b"Iface\neth0 0001A8C0 00000000 1 0 0 100 00FFFFFF 0 0 0\nwlan0 0001A8C0 00000000 1 0 0 600 00FFFFFF 0 0 0\n"),
        ("proc/net/fib_trie", b"|-- 192.168.1.7\n /32 host LOCAL\n|-- 172.16.0.1\n /32 host LOCAL\n"),
    ];
    let text = rendered(network::read(&Root::new(tree(&files).path())));
    assert!(text.contains("Address 192.168.1.7 is on eth0 or wlan0, which share a network"), "{text}");
    assert!(text.contains("Address 172.16.0.1 is on an interface that is not told"), "{text}");
    assert!(text.contains("eth0: state up, no address known"), "{text}");
    assert!(text.contains("Default route: none"), "{text}");
}

#[test]
fn addresses_of_this_machine_are_those_of_the_kernel() {
    // Where the kernel answers, loopback is among them; a sandbox may forbid the question.
    let Some(owned) = netlink::ipv4() else { return };
    assert!(owned.iter().all(|(_, prefix, interface)| *prefix <= 32 && *interface > 0), "{owned:?}");
    let text = rendered(network::read(&Root::new("/")));
    assert!(owned.iter().all(|(address, ..)| text.contains(&address.to_string())), "{owned:?} {text}");
}

#[test]
fn temperatures_are_told_once() {
    let expected = "\
cpu-thermal (thermal_zone0): 48.7 °C, critical at 110.0 °C
nvme (hwmon10) Composite: 36.9 °C, critical at 84.8 °C
Throttling: now none; earlier under-voltage, throttled
";
    assert_eq!(rendered(temperatures::read(&pi())), expected);
    let none = tree(&[
        ("sys/class/thermal/thermal_zone0/type", b"soc\n"),
        ("sys/class/thermal/thermal_zone0/temp", b"-274000\n"),
    ]);
    let text = rendered(temperatures::read(&Root::new(none.path())));
    assert_eq!(
        text,
        "soc (thermal_zone0): not understood (/sys/class/thermal/thermal_zone0/temp does not hold a temperature now)\n"
    );
}

#[test]
fn alarms_are_told() {
    let told = |root: &Root| [sensors::alarms(root, false), sensors::alarms(root, true)].concat();
    assert_eq!(told(&pi()), [("rpi_volt (hwmon1) in0".to_owned(), false), ("emc2301 (hwmon2) fan1".to_owned(), false)]);
    let (dir, _) = copy_of("pi");
    std::fs::write(dir.path().join("sys/class/hwmon/hwmon1/in0_lcrit_alarm"), "1\n").unwrap();
    assert_eq!(told(&Root::new(dir.path()))[0], ("rpi_volt (hwmon1) in0".to_owned(), true));
}

#[test]
fn leds_are_told_with_their_triggers() {
    let text = rendered(leds::read(&pi()));
    assert!(
        text.starts_with(
            "ACT: off (brightness 0 of 1), lit by trigger mmc0\nPWR: on (brightness 255 of 255), no trigger\n"
        ),
        "{text}"
    );
    assert!(text.contains("Triggers to choose from: none, rc-feedback, "), "{text}");
}

#[test]
fn processes_are_ranked_by_memory_and_by_cpu() {
    let (dir, _) = copy_of("pi");
    let root = Root::new(dir.path());
    let wanted = |by, commands| Wanted { by, count: 2, commands };
    let before = processes::sample(&root).unwrap();
    let text = rendered(Ok(processes::since_start(&root, &before, wanted(Order::Memory, true))));
    let expected = "\
2 of the 5 processes seen; CPU as used since each one started, 100 % being one core
603 node: CPU 10.0 %, memory 182 MiB, 11 threads, sleeping, user pi
  /usr/bin/node /opt/app/server.js --api-token *** --password=*** --port 8080
1 systemd: CPU 0.0 %, memory 12.0 MiB, 1 thread, sleeping, user root
  /sbin/init splash
";
    assert_eq!(text, expected);

    // Two seconds later, one process has used half a core in them.
    std::fs::write(dir.path().join("proc/uptime"), "273122.45 1.0\n").unwrap();
    let stat = dir.path().join("proc/20701/stat");
    let changed = std::fs::read_to_string(&stat).unwrap().replace(" 90 120 ", " 150 160 ");
    std::fs::write(stat, changed).unwrap();
    let now = processes::sample(&root).unwrap();
    let text = rendered(Ok(processes::compare(&root, &before, &now, wanted(Order::Cpu, false))));
    let expected = "\
2 of the 5 processes seen; CPU as used in the last 2 s, 100 % being one core
20701 wpa_supplicant: CPU 50.0 %, memory 7.03 MiB, 1 thread, waiting for a device, user number 106
603 node: CPU 0.0 %, memory 182 MiB, 11 threads, sleeping, user pi
";
    assert_eq!(text, expected);
}

#[test]
fn an_empty_machine_says_what_it_lacks() {
    let reports = all_reports(&Root::new(fixture("empty")));
    assert!(reports.iter().all(|report| report.contains("not on this machine (no /")), "{reports:#?}");
    assert!(
        reports[0].contains(
            "Model: not on this machine (no /proc/device-tree/model, no /sys/firmware/devicetree/base/model, "
        ),
        "{reports:#?}"
    );
    assert_eq!(reports[6], "not on this machine (no /sys/class/leds)");
    // Nor does a root that does not exist trouble anything.
    assert_eq!(all_reports(&Root::new("/nonexistent/root")), reports);
    let bare = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(bare.path().join("sys/class/leds")).unwrap();
    assert_eq!(rendered(leds::read(&Root::new(bare.path()))), "none on this machine (/sys/class/leds is empty)");
}

#[test]
fn this_machine_can_be_read() {
    let reports = all_reports(&Root::new("/"));
    assert!(reports[1].starts_with("Memory: "), "{reports:#?}");
}
