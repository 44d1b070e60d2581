//! Which tools a configuration offers.

use smol_mcp::Tools;

use crate::app::Board;
use crate::config::Config;
use crate::sources::root::Root;

/// The names of the tools that this configuration offers.
pub(crate) fn tools(root: Root, config: Config) -> Vec<&'static str> {
    let board = Board::new(root, config);
    Board::TOOLS.iter().enumerate().filter(|(at, _)| board.is_offered(*at)).map(|(_, tool)| tool.name).collect()
}

/// What the configuration names, for the `#[when(..)]` of the tools.
impl Board {
    pub(crate) fn has_leds(&self) -> bool {
        !self.config.leds.is_empty()
    }

    pub(crate) fn has_gpio(&self) -> bool {
        !self.config.gpio.is_empty()
    }

    pub(crate) fn has_outputs(&self) -> bool {
        self.config.gpio.iter().any(|line| line.output().is_some())
    }

    pub(crate) fn has_inputs(&self) -> bool {
        self.config.gpio.iter().any(|line| line.output().is_none())
    }

    pub(crate) fn has_i2c(&self) -> bool {
        !self.config.i2c.is_empty()
    }

    pub(crate) fn has_scans(&self) -> bool {
        self.config.i2c.iter().any(|bus| !bus.scan.is_empty())
    }

    pub(crate) fn has_i2c_reads(&self) -> bool {
        self.config.i2c.iter().flat_map(|bus| &bus.devices).any(|device| !device.read.is_empty())
    }

    pub(crate) fn has_i2c_writes(&self) -> bool {
        self.config.i2c.iter().flat_map(|bus| &bus.devices).any(|device| !device.write.is_empty())
    }

    pub(crate) fn has_pwm(&self) -> bool {
        !self.config.pwm.is_empty()
    }

    pub(crate) fn has_units(&self) -> bool {
        !self.config.units.is_empty()
    }

    pub(crate) fn has_logs(&self) -> bool {
        self.config.units.iter().any(|unit| unit.lines > 0)
    }

    pub(crate) fn has_commands(&self) -> bool {
        self.commands.all().next().is_some()
    }
}
