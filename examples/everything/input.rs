//! Input from the client: elicitation, sampling, roots, in both eras by the same lines.

use smol_mcp::{
    Call, Capability, Elicit, Elicited, ListRoots, PromptResult, Prompting, Sample, Sampling, ToolResult, args, output,
};

args! {
    pub(crate) struct Prompt {
        /// The prompt to send to the LLM.
        pub(crate) prompt: String,
    }

    pub(crate) struct Message {
        /// The message to show the user.
        pub(crate) message: String,
    }
}

output! {
    struct Contact {
        /// User's response
        username: String,
        /// User's email address
        email: String,
    }

    struct Person {
        /// User name
        name: String,
        /// User age
        age: u8,
        /// User score
        score: f64,
        /// User status
        status: Status,
        /// Verification status
        verified: bool,
    }

    enum Status {
        Active,
        Inactive,
        Pending,
    }

    struct UserName {
        name: String,
    }

    struct Color {
        color: String,
    }

    struct Confirm {
        ok: bool,
    }

    struct Context {
        context: String,
    }
}

/// All forms of a choice that the protocol knows, of which `args!` has the first.
const CHOICES: &str = r#"{
    "type": "object",
    "properties": {
        "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
        "titledSingle": { "type": "string", "oneOf": [
            { "const": "value1", "title": "First Option" },
            { "const": "value2", "title": "Second Option" },
            { "const": "value3", "title": "Third Option" }
        ] },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]
        },
        "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
        "titledMulti": { "type": "array", "items": { "anyOf": [
            { "const": "value1", "title": "First Choice" },
            { "const": "value2", "title": "Second Choice" },
            { "const": "value3", "title": "Third Choice" }
        ] } }
    },
    "required": []
}"#;

pub(crate) async fn sampling(call: &mut Call<'_>, args: Prompt) -> ToolResult {
    let said = call.sample("prompt", Sampling::text(&args.prompt).max_tokens(100)).await?;
    call.reply(format_args!("LLM response: {}", said.text())).await
}

pub(crate) async fn elicitation(call: &mut Call<'_>, args: Message) -> ToolResult {
    let contact = call.elicit::<Contact>("contact", &args.message).await?;
    call.print(format_args!("User response: action={}", contact.action())).await;
    if let Elicited::Accepted(contact) = contact {
        call.print(format_args!(", content: username={}, email={}", contact.username, contact.email)).await;
    }
    call.done().await
}

pub(crate) async fn elicitation_sep1034_defaults(call: &mut Call<'_>) -> ToolResult {
    let john = Person { name: "John Doe".into(), age: 30, score: 95.5, status: Status::Active, verified: true };
    let form = Elicit::new("person", "Please review and update the form fields with defaults").filled(&john);
    let person = call.ask(form).await?;
    call.print(format_args!("Elicitation completed: action={}, content={person:?}", person.action())).await;
    call.done().await
}

pub(crate) async fn elicitation_sep1330_enums(call: &mut Call<'_>) -> ToolResult {
    let choices = call.elicit_json("choices", "Please select options from the enum fields", CHOICES).await?;
    call.print(format_args!("Elicitation completed: action={}", choices.action())).await;
    if let Elicited::Accepted(choices) = choices {
        call.print(format_args!(", content={choices}")).await;
    }
    call.done().await
}

pub(crate) async fn elicitation_url(call: &mut Call<'_>) -> ToolResult {
    let opened = call.elicit_url("page", "Please sign in", "https://example.com/sign-in").await?;
    call.reply(format_args!("action={}", opened.action())).await
}

pub(crate) async fn missing_capability(call: &mut Call<'_>) -> ToolResult {
    let said = call.sample("question", Sampling::text("Can you hear me?").max_tokens(10)).await?;
    call.reply(format_args!("The model said: {}", said.text())).await
}

pub(crate) async fn streaming_elicitation(call: &mut Call<'_>) -> ToolResult {
    call.progress(1.0, Some(2.0), Some("about to ask")).await;
    let name = call.elicit::<UserName>("user_name", "What is your name?").await?;
    call.reply(format_args!("action={}", name.action())).await
}

pub(crate) async fn ask_elicitation(call: &mut Call<'_>) -> ToolResult {
    match call.elicit::<UserName>("user_name", "What is your name?").await? {
        Elicited::Accepted(user) => call.reply(format_args!("Hello, {}!", user.name)).await,
        _ => call.text("Hello, whoever you are!").await,
    }
}

pub(crate) async fn ask_sampling(call: &mut Call<'_>) -> ToolResult {
    let question = Sampling::text("What is the capital of France?").max_tokens(100);
    let said = call.sample("capital_question", question).await?;
    call.reply(said.text()).await
}

pub(crate) async fn ask_list_roots(call: &mut Call<'_>) -> ToolResult {
    let roots = call.roots("client_roots").await?;
    call.print(format_args!("{} roots:", roots.len())).await;
    for root in roots.iter() {
        call.print(format_args!(" {} ({})", root.uri(), root.name())).await;
    }
    call.done().await
}

pub(crate) async fn ask_request_state(call: &mut Call<'_>) -> ToolResult {
    let number = call.once("number", async { 42_u32 }).await?;
    let confirmed = call.elicit::<Confirm>("confirm", "Please confirm").await?;
    let ok = confirmed.accepted().is_some_and(|answer| answer.ok);
    call.reply(format_args!("state-ok: {number} {ok}")).await
}

pub(crate) async fn ask_multiple_inputs(call: &mut Call<'_>) -> ToolResult {
    let name = Elicit::<UserName>::new("user_name", "What is your name?");
    let greeting = Sample::new("greeting", Sampling::text("Generate a greeting").max_tokens(50));
    let (name, greeting, roots) = call.ask((name, greeting, ListRoots::new("client_roots"))).await?;
    let name = name.accepted().map_or("you".into(), |user| user.name);
    call.reply(format_args!("{} {name}, with {} roots", greeting.text(), roots.len())).await
}

pub(crate) async fn ask_multi_round(call: &mut Call<'_>) -> ToolResult {
    let name = call.elicit::<UserName>("step1", "Step 1: What is your name?").await?;
    let color = call.elicit::<Color>("step2", "Step 2: What is your favorite color?").await?;
    let name = name.accepted().map_or("Somebody".into(), |user| user.name);
    let color = color.accepted().map_or("no color".into(), |answer| answer.color);
    call.reply(format_args!("{name} likes {color}")).await
}

pub(crate) async fn ask_tampered_state(call: &mut Call<'_>) -> ToolResult {
    let confirmed = call.elicit::<Confirm>("confirm", "Please confirm").await?;
    call.reply(format_args!("action={}", confirmed.action())).await
}

pub(crate) async fn ask_capabilities(call: &mut Call<'_>) -> ToolResult {
    if call.client_can(Capability::Sampling) {
        let said = call.sample("greeting", Sampling::text("Generate a greeting").max_tokens(50)).await?;
        return call.reply(said.text()).await;
    }
    ask_elicitation(call).await
}

pub(crate) async fn prompt(call: &mut Prompting<'_>) -> PromptResult {
    let answer = call.elicit::<Context>("user_context", "What context should the prompt use?").await?;
    let context = answer.accepted().map_or("no context".into(), |answer| answer.context);
    call.reply(format_args!("Use this context: {context}")).await
}
