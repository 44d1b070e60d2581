//! The tools of the commands.

use serde::Deserialize;
use serde_json::{Map, Value};
use smol_mcp::{Call, ToolError, ToolResult};

use crate::app::Board;
use crate::config::commands::Command;

/// The arguments of `run_command`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunCommand {
    name: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

impl RunCommand {
    /// Their schema. What may stand in `arguments` is another for each command, and checked by what the configuration says of it.
    pub(crate) const SCHEMA: &str = r#"{
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "The command's name, exactly as `commands` lists it." },
            "arguments": { "type": "object", "description": "Its arguments, by the schema that `commands` tells; none when absent." }
        },
        "required": ["name"],
        "additionalProperties": false
    }"#;
}

impl Board {
    /// Tells the commands that the caller may run.
    pub(crate) async fn list_commands(&self, call: &mut Call<'_>) -> ToolResult {
        let told: Vec<Value> = self.commands.of(call.principal()).map(Command::told).collect();
        if told.is_empty() {
            return call.text("The configuration of this server allows no commands to you.").await;
        }
        call.text(&Value::from(told).to_string()).await
    }

    /// Runs one of them.
    pub(crate) async fn run_one(&self, call: &mut Call<'_>) -> ToolResult {
        let run: RunCommand = serde_json::from_str(call.arguments_json()).map_err(ToolError::new)?;
        let command = self.commands.get(&run.name, call.principal()).map_err(ToolError::new)?;
        let line = command.line(&run.arguments).map_err(ToolError::new)?;
        if command.who.confirm {
            call.confirm(format_args!("Run {}?\n{line}", command.name)).await?;
            // A link may have come meanwhile. Nothing is waited for from here on until it runs.
            if command.line(&run.arguments).map_err(ToolError::new)? != line {
                return Err("what it would run is not what was asked about any more: a path leads elsewhere now".into());
            }
        }
        // What it is told may be secret, and the log is for others.
        log::info!(
            "command {} is run by {}",
            command.name,
            call.principal().name().unwrap_or("a client without a name")
        );
        let outcome = self.commands.run(&line, &self.children).await.map_err(ToolError::new)?;
        // Also where it failed, which its first line says: the error of a tool has no room for what it wrote.
        call.reply(outcome).await
    }
}
