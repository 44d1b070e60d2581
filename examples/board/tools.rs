//! The machine's reports as tools.
//!
//! What a machine does not have is an answer like any other: a board without LEDs is no failure, and a model that is told so need not
//! try again. What is there and could not be read, or set, is a tool's error.

use std::fmt::Display;
use std::time::Duration;

use smol_mcp::{Call, ToolError, ToolResult, args, tools};

use crate::app::Board;
use crate::commands::RunCommand;
use crate::control::buses::{I2cRead, I2cScan, I2cWrite};
use crate::control::leds::SetLed;
use crate::control::lines::{GpioLine, GpioPulse, GpioWait, GpioWrite};
use crate::control::pwms::PwmSet;
use crate::overview;
use crate::resources::OneSensor;
use crate::sources::processes::{Order, SHOWN_MAX, Wanted};
use crate::sources::root::{Lack, Why};
use crate::sources::{disks, host, leds, memory, network, processes, watchdog};
use crate::units::UnitLog;

/// Over how long the use of CPU is measured: the kernel counts in hundredths of a second, so that this tells percents.
const CPU_WATCHED: Duration = Duration::from_secs(1);
/// Processes shown where the call does not say.
const PROCESSES_DEFAULT: u8 = 10;

const _: () = assert!(SHOWN_MAX == 50, "the range of `Processes::count` says so too");

args! {
    pub(crate) struct Processes {
        /// What to sort by; `memory` when absent.
        by: Option<SortBy>,
        /// How many to show; 10 when absent.
        #[range(1..=50)]
        count: Option<u8>,
        /// Whether to show their command lines too, cut and with likely secrets masked; not when absent.
        commands: Option<bool>,
    }

    pub(crate) enum SortBy {
        /// the most memory first, answered at once
        Memory,
        /// the busiest first, measured for a second
        Cpu,
    }
}

tools! {
    impl Board {
        /// The essentials of this machine in a few lines: what it is, load, memory, disks, hottest temperature, addresses.
        /// Start here; the other tools tell more of each.
        #[read_only]
        #[title("Overview")]
        async fn overview(&self, call: &mut Call<'_>) -> ToolResult {
            let temperatures = self.all_temperatures().await;
            answer(call, Ok(overview::read(&self.root, temperatures))).await
        }

        /// What machine this is: host name, board or product model, operating system, kernel, processor with its clock, time since
        /// start, load averages.
        #[read_only]
        #[title("Machine")]
        async fn host(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, Ok(host::read(&self.root))).await
        }

        /// How much memory and swap there is, is used, and is available to programs.
        #[read_only]
        #[title("Memory")]
        async fn memory(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, memory::read(&self.root)).await
        }

        /// The mounted filesystems that hold files: device, type, size, how full, whether read-only. Network shares are named but not
        /// asked how full they are.
        #[read_only]
        #[title("Disks")]
        async fn disks(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, disks::read(&self.root)).await
        }

        /// The network interfaces: state, addresses, speed or Wi-Fi signal, traffic and errors since the start; and the default routes.
        #[read_only]
        #[title("Network")]
        async fn network(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, network::read(&self.root)).await
        }

        /// The machine's own thermometers in °C, each with its critical temperature where that is known. On a Raspberry Pi also whether it
        /// is, or was, throttled or short of voltage.
        #[read_only]
        #[title("Temperatures")]
        async fn temperatures(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, self.all_temperatures().await).await
        }

        /// All sensors with what they measure now: temperatures, voltages, currents, powers, humidity, pressure, light, fan speeds, and raised
        /// alarms. Each has a name, by which `sensor` and the resource board://sensor/{name} tell of it alone.
        #[read_only]
        #[title("Sensors")]
        async fn sensors(&self, call: &mut Call<'_>) -> ToolResult {
            self.all_sensors(call).await
        }

        /// One sensor: what it measures now, and the least, the greatest and the mean of its last values.
        #[read_only]
        #[title("Sensor")]
        async fn sensor(&self, call: &mut Call<'_>, args: OneSensor) -> ToolResult {
            self.one_sensor(call, args).await
        }

        /// The watchdogs, which restart this machine when it hangs: whether they run, after how long they do it, and whether it was one of
        /// them that caused the last start.
        #[read_only]
        #[title("Watchdog")]
        async fn watchdog(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, watchdog::read(&self.root)).await
        }

        /// What feeds this machine: batteries with how full they are, mains, USB; on a Raspberry Pi also whether its voltage is, or was, too low.
        #[read_only]
        #[title("Power")]
        async fn power(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, self.all_power().await).await
        }

        /// The state of the services and other systemd units that the configuration allows: whether each runs, since when, its result.
        #[read_only]
        #[when(Self::has_units)]
        #[scope("units")]
        #[title("Units")]
        async fn units(&self, call: &mut Call<'_>) -> ToolResult {
            self.unit_states(call).await
        }

        /// The last lines of the log (the journal) of one unit that the configuration allows, the oldest first, with likely secrets masked.
        #[read_only]
        #[when(Self::has_logs)]
        #[scope("units")]
        #[title("Log of a unit")]
        async fn unit_log(&self, call: &mut Call<'_>, args: UnitLog) -> ToolResult {
            self.log_of_unit(call, args).await
        }

        /// The commands that `run_command` can run: the name of each, what it does, and the JSON Schema of its arguments.
        #[read_only]
        #[when(Self::has_commands)]
        #[scope("commands")]
        #[title("Commands")]
        async fn commands(&self, call: &mut Call<'_>) -> ToolResult {
            self.list_commands(call).await
        }

        /// Runs one of the commands that `commands` lists, with arguments that fit its schema, and tells its exit status and what it wrote.
        #[destructive]
        #[open_world]
        #[when(Self::has_commands)]
        #[scope("commands")]
        #[title("Run a command")]
        #[input_schema(RunCommand::SCHEMA)]
        async fn run_command(&self, call: &mut Call<'_>) -> ToolResult {
            self.run_one(call).await
        }

        /// The LEDs of this machine: name, brightness now and at most, what lights each, and the triggers that could.
        #[read_only]
        #[title("LEDs")]
        async fn leds(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, leds::read(&self.root)).await
        }

        /// Switches one LED of this machine on or off, sets its brightness, or lets the kernel light it by a trigger. Give `on` or
        /// `brightness`, `trigger`, or a brightness with a trigger. Without a trigger, the LED is taken from the one it has, so that it
        /// stays as set. It lasts until it is set again or the machine restarts.
        #[idempotent]
        #[when(Self::has_leds)]
        #[scope("leds")]
        #[title("Set an LED")]
        async fn set_led(&self, call: &mut Call<'_>, args: SetLed) -> ToolResult {
            self.change_led(call, args).await
        }

        /// The GPIO lines that may be used: name, what hangs on it, input or output, state now, safe state, longest pulse.
        #[read_only]
        #[when(Self::has_gpio)]
        #[scope("gpio")]
        #[title("GPIO lines")]
        async fn gpio_list(&self, call: &mut Call<'_>) -> ToolResult {
            self.control.gpio_list(call).await
        }

        /// Whether a GPIO line is active or inactive now.
        #[read_only]
        #[when(Self::has_gpio)]
        #[scope("gpio")]
        #[title("Read a GPIO line")]
        async fn gpio_read(&self, call: &mut Call<'_>, args: GpioLine) -> ToolResult {
            self.control.gpio_read(call, args).await
        }

        /// Sets an output. It stays so until it is set again, and returns to its safe state when the server ends, or earlier where the answer
        /// says so.
        #[destructive]
        #[idempotent]
        #[when(Self::has_outputs)]
        #[scope("gpio")]
        #[title("Set a GPIO line")]
        async fn gpio_write(&self, call: &mut Call<'_>, args: GpioWrite) -> ToolResult {
            self.control.gpio_write(call, args).await
        }

        /// Sets an output for some milliseconds, and then back to what it was: to press a button, ring a bell. It also goes back at once when the
        /// call is cancelled.
        #[destructive]
        #[when(Self::has_outputs)]
        #[scope("gpio")]
        #[title("Pulse a GPIO line")]
        async fn gpio_pulse(&self, call: &mut Call<'_>, args: GpioPulse) -> ToolResult {
            self.control.gpio_pulse(call, args).await
        }

        /// Waits until an input changes: a button, a door, a motion sensor. Answers when it has changed, or when the time is over.
        #[read_only]
        #[when(Self::has_inputs)]
        #[scope("gpio")]
        #[title("Wait for a GPIO line")]
        async fn gpio_wait(&self, call: &mut Call<'_>, args: GpioWait) -> ToolResult {
            self.control.gpio_wait(call, args).await
        }

        /// The I2C buses and devices that may be used: names, addresses, which registers may be read and written.
        #[read_only]
        #[when(Self::has_i2c)]
        #[scope("i2c")]
        #[title("I2C devices")]
        async fn i2c_list(&self, call: &mut Call<'_>) -> ToolResult {
            self.control.i2c_list(call).await
        }

        /// Looks which addresses of an I2C bus answer, of those that may be asked.
        #[additive]
        #[when(Self::has_scans)]
        #[scope("i2c")]
        #[title("Scan an I2C bus")]
        async fn i2c_scan(&self, call: &mut Call<'_>, args: I2cScan) -> ToolResult {
            self.control.i2c_scan(call, args).await
        }

        /// Reads registers of an I2C device, of one byte each. What they mean stands in the device's data sheet, and also whether reading one
        /// changes something: some clear an interrupt by it, or take a byte out of a queue.
        #[additive]
        #[when(Self::has_i2c_reads)]
        #[scope("i2c")]
        #[title("Read I2C registers")]
        async fn i2c_read(&self, call: &mut Call<'_>, args: I2cRead) -> ToolResult {
            self.control.i2c_read(call, args).await
        }

        /// Writes registers of an I2C device, of one byte each.
        #[destructive]
        #[when(Self::has_i2c_writes)]
        #[scope("i2c")]
        #[title("Write I2C registers")]
        async fn i2c_write(&self, call: &mut Call<'_>, args: I2cWrite) -> ToolResult {
            self.control.i2c_write(call, args).await
        }

        /// The PWM channels that may be set: name, what hangs on it, what it does now, what it takes, its safe state.
        #[read_only]
        #[when(Self::has_pwm)]
        #[scope("pwm")]
        #[title("PWM channels")]
        async fn pwm_list(&self, call: &mut Call<'_>) -> ToolResult {
            self.control.pwm_list(call).await
        }

        /// Sets a PWM channel: how much of each period it is active, and how many periods a second has; or switches it off. It stays so until it is
        /// set again, and returns to its safe state when the server ends, or earlier where the answer says so.
        #[destructive]
        #[idempotent]
        #[when(Self::has_pwm)]
        #[scope("pwm")]
        #[title("Set a PWM channel")]
        async fn pwm_set(&self, call: &mut Call<'_>, args: PwmSet) -> ToolResult {
            self.control.pwm_set(call, args).await
        }

        /// The processes that use most memory or most CPU: number, name, use of CPU and memory, threads, state, user.
        #[read_only]
        #[title("Processes")]
        async fn processes(&self, call: &mut Call<'_>, args: Processes) -> ToolResult {
            let (root, by) = (&self.root, args.by.unwrap_or(SortBy::Memory));
            let wanted = Wanted {
                by: if by == SortBy::Cpu { Order::Cpu } else { Order::Memory },
                count: args.count.unwrap_or(PROCESSES_DEFAULT).into(),
                commands: args.commands.unwrap_or(false),
            };
            let before = processes::sample(root);
            let (Ok(before), SortBy::Cpu) = (&before, by) else {
                return answer(call, before.map(|now| processes::since_start(root, &now, wanted))).await;
            };
            smol::Timer::after(CPU_WATCHED).await;
            answer(call, processes::sample(root).map(|now| processes::compare(root, before, &now, wanted))).await
        }
    }
}

/// Answers with a report, or with what the machine lacks.
pub(crate) async fn answer(call: &mut Call<'_>, report: Result<impl Display, Lack>) -> ToolResult {
    match report {
        Ok(report) => call.reply(report).await,
        Err(lack @ Lack { why: Why::Absent | Why::Empty, .. }) => call.reply(lack).await,
        Err(lack) => Err(ToolError::new(lack)),
    }
}
