//! `completion/complete`: what an argument of a prompt, or a variable of a resource's template, may be.

use core::pin::pin;

use crate::app::{Application, Catalog, Completing, Failure, Field, Identity, Ran, Schema, refuse, unwound};
use crate::json::Value;
use crate::limits::COMPLETIONS_MAX;
use crate::outlet::Out;
use crate::rpc::{self, Envelope, Request};

/// What is to be completed: the place in its list, and that of the argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An argument of a prompt.
    Prompt(usize, usize),
    /// A variable of a template.
    Resource(usize, usize),
}

/// What a request asks to complete.
///
/// # Errors
/// The message of the `-32602`.
pub(crate) fn find(envelope: &Envelope, doc: &[u8], catalog: &Catalog) -> Result<Subject, &'static str> {
    let params = params(envelope, doc);
    let text = |of: &str, key: &str| params.get(of).and_then(|of| of.get(key)).and_then(Value::as_text);
    let kind = text("ref", "type").ok_or("completion/complete needs params.ref with a type")?;
    let name = text("argument", "name").ok_or("completion/complete needs params.argument with a name and a value")?;
    if text("argument", "value").is_none() {
        return Err("params.argument.value must be a string");
    }
    let argument = |schema: &'static Schema| {
        let place = fields(schema).iter().position(|field| name.eq_str(field.name));
        place.ok_or("unknown argument: params.argument.name is none of what params.ref names")
    };
    if kind.eq_str("ref/prompt") {
        let name = text("ref", "name").ok_or("params.ref needs the name of a prompt")?;
        let found = catalog.prompts.iter().enumerate().find(|(_, prompt)| name.eq_str(prompt.name));
        let (at, prompt) = found.ok_or("unknown prompt: params.ref.name is not in prompts/list")?;
        return Ok(Subject::Prompt(at, argument(prompt.arguments)?));
    }
    if kind.eq_str("ref/resource") {
        let uri = text("ref", "uri").ok_or("params.ref needs the uri of a template")?;
        let found = catalog.resources.iter().enumerate().find(|(_, resource)| uri.eq_str(resource.uri));
        let (at, resource) = found.ok_or("unknown template: params.ref.uri is not in resources/templates/list")?;
        return Ok(Subject::Resource(at, argument(resource.arguments)?));
    }
    Err("params.ref.type must be ref/prompt or ref/resource")
}

/// Answers with the completions.
pub(crate) async fn complete<A: Application>(
    app: &A,
    out: Out<'_>,
    request: &Request<'_>,
    subject: Subject,
    identity: &Identity,
) -> Ran {
    let (schema, place) = match subject {
        Subject::Prompt(at, place) => (A::PROMPTS.get(at).map(|prompt| prompt.arguments), place),
        Subject::Resource(at, place) => (A::RESOURCES.get(at).map(|resource| resource.arguments), place),
    };
    let params = params(request.envelope, request.doc);
    let typed = params.get("argument").and_then(|argument| argument.get("value")).and_then(Value::as_text);
    let (Some(field), Some(typed)) = (schema.and_then(|schema| fields(schema).get(place)), typed) else {
        return Ran::Failed;
    };
    let context = params.get("context").and_then(|context| context.get("arguments"));
    let begin = out.mark();
    let modern = request.revision.is_modern();
    out.write(|w| {
        rpc::begin_result(w, request.id());
        w.str(if modern {
            r#"{"resultType":"complete","completion":{"values":["#
        } else {
            r#"{"completion":{"values":["#
        });
    })
    .await;
    let mut call = Completing::new(out, field.name, typed, context);
    let ended = unwound(pin!(async {
        match (field.schema, subject) {
            (Schema::Enum(_), _) => call.choose(&field.schema).await,
            (_, Subject::Prompt(at, _)) => app.complete_prompt(at, &mut call).await,
            (_, Subject::Resource(at, _)) => app.complete_resource(at, &mut call).await,
        }
    }))
    .await;
    if ended.is_err() {
        if out.rewind(begin) {
            refuse(out, request, &Failure::panicked()).await;
        } else {
            out.break_off();
        }
        return Ran::Panicked;
    }
    let offered = call.offered();
    out.write(|w| {
        w.str(r#"],"total":"#).uint(offered as u64).str(r#","hasMore":"#).bool(offered > COMPLETIONS_MAX).str("}");
        if modern {
            identity.write_meta(w);
        }
        w.str("}}");
    })
    .await;
    Ran::Finished
}

fn params<'d>(envelope: &Envelope, doc: &'d [u8]) -> Value<'d> {
    Value::new(envelope.params.map_or(b"{}".as_slice(), |params| params.span.of(doc)))
}

fn fields(schema: &'static Schema) -> &'static [Field] {
    if let Schema::Object(fields) = schema { fields } else { &[] }
}
