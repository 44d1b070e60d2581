//! All that an application offers, put together by the compiler: what it has not costs nothing and is not told.

use core::future::Future;
use core::marker::PhantomData;

use super::{
    Call, Check, Completing, Denied, Failure, Listed, NoCheck, Prompt, PromptResult, Prompting, Prompts, ReadResult,
    Reading, Resource, Resources, Tool, ToolResult, Tools, Visit, are_scopes,
};
use crate::session::Principal;

/// An application as the server sees it: [`App`] is the only one.
#[allow(missing_docs)] // each is that of `Tools`, `Resources`, `Prompts`
pub trait Application {
    const TOOLS: &'static [Tool];
    const RESOURCES: &'static [Resource];
    const PROMPTS: &'static [Prompt];
    /// A tool runs as a task: whether there is anything to do with them, known when the program is compiled.
    const HAS_TASKS: bool;
    /// How many tools have a rate of their own.
    const RATED: usize;
    /// It has its own check of who comes in.
    const HAS_CHECK: bool;

    fn is_offered(&self, index: usize) -> bool;
    fn call_tool(&self, index: usize, call: &mut Call<'_>) -> impl Future<Output = ToolResult>;
    fn read(&self, index: usize, call: &mut Reading<'_>) -> impl Future<Output = ReadResult>;
    fn get_prompt(&self, index: usize, call: &mut Prompting<'_>) -> impl Future<Output = PromptResult>;
    fn complete_resource(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
    fn complete_prompt(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
    fn check(&self, visit: &Visit<'_>) -> impl Future<Output = Result<Principal, Denied>>;
}

/// An author's type, which of its traits are served, and how it checks who comes in.
#[derive(Debug)]
pub struct App<A, R = NoResources, P = NoPrompts, H = NoCheck> {
    own: A,
    check: H,
    parts: PhantomData<(R, P)>,
}

/// The application has no resources, or keeps them to itself.
#[derive(Debug)]
pub enum NoResources {}

/// The application's [`Resources`] are served.
#[derive(Debug)]
pub enum WithResources {}

/// The application has no prompts, or keeps them to itself.
#[derive(Debug)]
pub enum NoPrompts {}

/// The application's [`Prompts`] are served.
#[derive(Debug)]
pub enum WithPrompts {}

/// What is served of an application's resources.
#[doc(hidden)]
#[allow(missing_docs)]
pub trait ResourcesOf<A> {
    const RESOURCES: &'static [Resource];

    fn read(app: &A, index: usize, call: &mut Reading<'_>) -> impl Future<Output = ReadResult>;
    fn complete(app: &A, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
}

/// What is served of an application's prompts.
#[doc(hidden)]
#[allow(missing_docs)]
pub trait PromptsOf<A> {
    const PROMPTS: &'static [Prompt];

    fn get(app: &A, index: usize, call: &mut Prompting<'_>) -> impl Future<Output = PromptResult>;
    fn complete(app: &A, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()>;
}

impl<A, R, P> App<A, R, P> {
    /// This application, with what the types say, and without a check of its own.
    pub(crate) const fn new(app: A) -> Self {
        Self { own: app, check: NoCheck, parts: PhantomData }
    }
}

impl<A, R, P, H> App<A, R, P, H> {
    /// The same, with more or less of it served.
    pub(crate) fn with<R2, P2>(self) -> App<A, R2, P2, H> {
        App { own: self.own, check: self.check, parts: PhantomData }
    }

    /// The same, with this check.
    pub(crate) fn with_check<H2>(self, check: H2) -> App<A, R, P, H2> {
        App { own: self.own, check, parts: PhantomData }
    }
}

impl<A: Tools, R: ResourcesOf<A>, P: PromptsOf<A>, H: Check<A>> Application for App<A, R, P, H> {
    const TOOLS: &'static [Tool] = A::TOOLS;
    const RESOURCES: &'static [Resource] = R::RESOURCES;
    const PROMPTS: &'static [Prompt] = P::PROMPTS;
    const HAS_TASKS: bool = has_tasks(A::TOOLS);
    const RATED: usize = rated(A::TOOLS);
    const HAS_CHECK: bool = H::ASKS;

    fn is_offered(&self, index: usize) -> bool {
        self.own.is_offered(index)
    }

    fn call_tool(&self, index: usize, call: &mut Call<'_>) -> impl Future<Output = ToolResult> {
        self.own.call_tool(index, call)
    }

    fn read(&self, index: usize, call: &mut Reading<'_>) -> impl Future<Output = ReadResult> {
        R::read(&self.own, index, call)
    }

    fn get_prompt(&self, index: usize, call: &mut Prompting<'_>) -> impl Future<Output = PromptResult> {
        P::get(&self.own, index, call)
    }

    fn complete_resource(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()> {
        R::complete(&self.own, index, call)
    }

    fn complete_prompt(&self, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()> {
        P::complete(&self.own, index, call)
    }

    fn check(&self, visit: &Visit<'_>) -> impl Future<Output = Result<Principal, Denied>> {
        self.check.check(&self.own, visit)
    }
}

impl<A> ResourcesOf<A> for NoResources {
    const RESOURCES: &'static [Resource] = &[];

    async fn read(_: &A, _: usize, _: &mut Reading<'_>) -> ReadResult {
        Err(Failure::not_found())
    }

    async fn complete(_: &A, _: usize, _: &mut Completing<'_>) {}
}

impl<A: Resources> ResourcesOf<A> for WithResources {
    const RESOURCES: &'static [Resource] = A::RESOURCES;

    fn read(app: &A, index: usize, call: &mut Reading<'_>) -> impl Future<Output = ReadResult> {
        app.read(index, call)
    }

    fn complete(app: &A, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()> {
        app.complete(index, call)
    }
}

impl<A> PromptsOf<A> for NoPrompts {
    const PROMPTS: &'static [Prompt] = &[];

    async fn get(_: &A, _: usize, _: &mut Prompting<'_>) -> PromptResult {
        Err(Failure::not_found())
    }

    async fn complete(_: &A, _: usize, _: &mut Completing<'_>) {}
}

impl<A: Prompts> PromptsOf<A> for WithPrompts {
    const PROMPTS: &'static [Prompt] = A::PROMPTS;

    fn get(app: &A, index: usize, call: &mut Prompting<'_>) -> impl Future<Output = PromptResult> {
        app.get(index, call)
    }

    fn complete(app: &A, index: usize, call: &mut Completing<'_>) -> impl Future<Output = ()> {
        app.complete(index, call)
    }
}

const fn has_tasks(tools: &[Tool]) -> bool {
    let mut at = 0;
    while at < tools.len() {
        if tools[at].task.is_some() {
            return true;
        }
        at += 1;
    }
    false
}

const fn rated(tools: &[Tool]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < tools.len() {
        count += tools[at].rate.is_some() as usize;
        at += 1;
    }
    count
}

/// What an application offers, for those who need not know its type.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(crate) tools: &'static [Tool],
    /// Those of them that are offered, as they are listed.
    pub(crate) listed: Listed,
    pub(crate) resources: &'static [Resource],
    pub(crate) prompts: &'static [Prompt],
    /// The server's own resource of the last calls, where they are kept.
    pub(crate) audit: Option<&'static Resource>,
    /// An argument of a prompt or of a template can be completed.
    pub(crate) completes: bool,
    /// Tools run as tasks, and there is room for some.
    pub(crate) tasks: bool,
}

impl Catalog {
    /// That of an application, which is asked for its tools once, here.
    pub(crate) fn of<A: Application>(app: &A) -> Self {
        let completes = A::RESOURCES.iter().any(Resource::is_completed) || A::PROMPTS.iter().any(Prompt::is_completed);
        Self {
            tools: A::TOOLS,
            listed: Listed::of(A::TOOLS, |at| app.is_offered(at)),
            resources: A::RESOURCES,
            prompts: A::PROMPTS,
            audit: None,
            completes,
            tasks: false,
        }
    }

    /// The tool at this place, if it is offered.
    pub(crate) fn tool(&self, at: usize) -> Option<&'static Tool> {
        self.tools.get(at).filter(|_| self.listed.entry(at).is_some())
    }

    /// There are tools, of which some are offered.
    pub(crate) fn has_tools(&self) -> bool {
        !self.listed.is_empty()
    }

    /// There are resources, be it the server's own.
    pub(crate) const fn has_resources(&self) -> bool {
        !self.resources.is_empty() || self.audit.is_some()
    }

    /// Whether all that is asked for can be a scope; the name of what asks for something else.
    pub(crate) fn check_scopes(&self) -> Result<(), &'static str> {
        let tools = self.tools.iter().map(|tool| (tool.name, tool.scopes));
        let resources = self.resources.iter().map(|resource| (resource.uri, resource.scopes));
        let prompts = self.prompts.iter().map(|prompt| (prompt.name, prompt.scopes));
        let wrong = tools.chain(resources).chain(prompts).find(|(_, scopes)| !are_scopes(scopes));
        wrong.map_or(Ok(()), |(name, _)| Err(name))
    }
}
