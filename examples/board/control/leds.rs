//! LEDs: the tool that sets them.

use smol_mcp::{Call, ToolError, ToolResult, args, heapless};

use super::{confirm, find};
use crate::app::Board;
use crate::sources::leds::{self, Change, Level};

/// The longest name of an LED, in bytes (the kernel's `LED_MAX_NAME_SIZE`).
const LED_NAME_BYTES_MAX: usize = 64;
/// The longest name of a trigger, in bytes (the kernel's `TRIG_NAME_MAX`).
const TRIGGER_NAME_BYTES_MAX: usize = 50;

args! {
    pub(crate) struct SetLed {
        /// The LED's name, exactly as `leds` lists it.
        #[len(1..=64)]
        name: heapless::String<LED_NAME_BYTES_MAX>,
        /// `true` for as bright as it can be, `false` for dark. Leave it out to give a brightness or only a trigger.
        on: Option<bool>,
        /// From 0 (dark) to the LED's greatest brightness, which `leds` tells.
        brightness: Option<u32>,
        /// What the kernel shall light it by from now on, such as `heartbeat`, `timer` or `mmc0`; `leds` lists what there is.
        /// `none` ends that.
        #[len(1..=50)]
        trigger: Option<heapless::String<TRIGGER_NAME_BYTES_MAX>>,
    }
}

impl Board {
    /// `set_led`
    pub(crate) async fn change_led(&self, call: &mut Call<'_>, args: SetLed) -> ToolResult {
        let led =
            find(self.config.leds.iter(), "LED", &args.name, call.principal(), |led| (led.name.as_str(), &led.who))?;
        let change = Change { level: level(&args)?, trigger: args.trigger.as_deref() };
        // Nobody is asked about what can't be done.
        let plan = leds::plan(&self.root, &args.name, change).map_err(ToolError::new)?;
        confirm(call, &led.who, format_args!("Set the LED {plan}?")).await?;
        // It may be lit by another trigger meanwhile.
        let changed = leds::set(&self.root, &args.name, change).map_err(ToolError::new)?;
        log::info!("{changed}");
        call.reply(changed).await
    }
}

/// How bright the LED shall be. Models like to give both, which is well where both say the same.
fn level(args: &SetLed) -> Result<Option<Level>, ToolError> {
    match (args.on, args.brightness) {
        (None, None) => Ok(None),
        (Some(true), None) => Ok(Some(Level::On)),
        (Some(false), None | Some(0)) => Ok(Some(Level::Off)),
        (Some(false), Some(_)) | (Some(true), Some(0)) => {
            Err("`on` and `brightness` contradict each other: give one of the two".into())
        }
        (_, Some(brightness)) => Ok(Some(Level::Value(brightness))),
    }
}
