//! One plugin: loaded from its file, asked, and answering within its bounds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::contract::{Answer, FilterPre, types};
use super::engine::Sandbox;
use super::failure::{Failure, in_time};
use super::health::Condition;
use super::host::Host;
use super::instances::{Instance, Instances, now, trap};
use super::limits::{Caps, Limits, MAX_NAMED, MAX_NAMED_BYTES};
use super::load::{LoadError, Loaded, Patience, load, root};
use super::manifest::Manifest;
use super::origin::Code;
use super::question::{Question, Scene};
use super::shared::Shared;
use super::standing::{Standing, Stats};

/// A plugin that can be called.
pub struct Plugin {
    manifest: Manifest,
    description: types::Description,
    instances: Arc<Instances>,
    standing: Arc<Standing>,
    /// The name of its compiled form, where such are kept.
    artifact: Option<String>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Compiles a plugin, and has it describe itself and take its settings.
    ///
    /// Takes milliseconds for a filter in Rust and seconds for one that brings an interpreter along: no work for a
    /// thread that serves.
    ///
    /// # Errors
    /// [`LoadError`], in words for the operator.
    pub(super) async fn load(
        sandbox: &Arc<Sandbox>,
        manifest: Manifest,
        code: &Code,
        caps: &Caps,
        patience: Patience,
    ) -> Result<Self, LoadError> {
        let unfit = |text: String| LoadError::Unfit { code: code.to_string(), text };
        let Loaded { component, size, artifact } = load(sandbox, code, manifest.sha256.clone(), patience).await?;
        let fits = |fault: wasmtime::Error| {
            unfit(format!("does not fit the contract: {}. Build it with the kit of this relay", root(&fault)))
        };
        let component = FilterPre::new(sandbox.linker.instantiate_pre(&component).map_err(fits)?).map_err(fits)?;
        let limits = manifest.limits(size, caps);
        let started = Self::start(sandbox, manifest, component, limits).await;
        let mut plugin = started.map_err(|failure| match failure {
            Failure::Starved | Failure::Busy => LoadError::Later("there is no memory for it now"),
            failure => unfit(failure.to_string()),
        })?;
        plugin.artifact = artifact;
        Ok(plugin)
    }

    /// The same plugin under another manifest, as if it had just been loaded: it remembers nothing. Nothing is compiled,
    /// and the bounds stay.
    ///
    /// # Errors
    /// [`Failure`], when it refuses its settings or takes too long over them.
    pub async fn anew(&self, manifest: Manifest) -> Result<Self, Failure> {
        let Instances { sandbox, component, shared, .. } = &*self.instances;
        Self::start(sandbox, manifest, component.clone(), shared.limits).await
    }

    /// Has a compiled plugin take its settings and describe itself.
    async fn start(
        sandbox: &Arc<Sandbox>,
        manifest: Manifest,
        component: FilterPre<Host>,
        limits: Limits,
    ) -> Result<Self, Failure> {
        let shared = Arc::new(Shared::new(&manifest.name, limits));
        let standing = Arc::new(Standing::new(&manifest.name, sandbox.events.clone()));
        let settings = manifest.settings.clone();
        let instances = Instances::new(Arc::clone(sandbox), shared, component, Arc::clone(&standing), settings);
        let mut first = instances.first().await?;
        let description = describe(&instances, &mut first).await?;
        instances.add(first);
        Ok(Self { manifest, description, instances, standing, artifact: None })
    }

    /// What the operator says of it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The version that it gives itself.
    #[must_use]
    pub fn version(&self) -> &str {
        // For a log and for tables: no more than a version needs.
        let version = &self.description.version;
        version.get(..version.floor_char_boundary(MAX_NAMED_BYTES)).unwrap_or_default()
    }

    /// The bounds that it runs in.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.instances.shared.limits
    }

    /// Linear memory of the largest instance that nobody uses now, in bytes; `None` when there is no such instance.
    #[must_use]
    pub fn memory(&self) -> Option<usize> {
        self.instances.memory()
    }

    /// Whether it wants to see messages of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        let kinds = &self.description.kinds;
        self.has_hook("check") && if kinds.is_empty() { kind == "text" } else { kinds.iter().any(|own| own == kind) }
    }

    /// Whether it wants to see nicknames.
    #[must_use]
    pub fn wants_nicknames(&self) -> bool {
        self.description.hooks.iter().any(|hook| hook == "check-nickname")
    }

    /// Whether it wants the payload of messages.
    #[must_use]
    pub fn wants_payload(&self) -> bool {
        self.description.payload
    }

    fn has_hook(&self, name: &str) -> bool {
        let hooks = &self.description.hooks;
        hooks.is_empty() || hooks.iter().any(|hook| hook == name)
    }

    /// Whether it is well, or set aside after failures.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.standing.condition()
    }

    /// How it has answered so far, trials aside.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.standing.stats()
    }

    /// The name of its compiled form, where such are kept.
    pub(super) fn artifact(&self) -> Option<&str> {
        self.artifact.as_deref()
    }

    /// Drops instances that have not been needed for a while.
    pub(super) fn shed(&self) {
        self.instances.shed();
    }

    /// Asks it, within its deadline, which counts from now. Must run on the sandbox's own threads: it computes there.
    ///
    /// # Errors
    /// [`Failure`]. An instance that did not come to its end is thrown away then.
    ///
    /// # Cancel safety
    /// Dropping the future ends the call and throws the instance away.
    pub async fn ask(&self, question: &Question, scene: Scene) -> Result<Answer, Failure> {
        let counts = !scene.trial;
        if !self.standing.may_run() {
            if counts {
                self.standing.passed_over(&Failure::SetAside);
            }
            return Err(Failure::SetAside);
        }
        let began = Instant::now();
        let answer = self.answer(question, scene, began).await;
        if counts {
            match &answer {
                Ok(answer) => self.standing.answered(&answer.action, began.elapsed()),
                Err(failure @ (Failure::Busy | Failure::CutShort | Failure::Starved)) => {
                    self.standing.passed_over(failure);
                }
                Err(failure) => self.standing.failed(failure),
            }
        }
        answer
    }

    /// Has an instance answer, once there is one, all of it before the deadline.
    async fn answer(&self, question: &Question, scene: Scene, began: Instant) -> Result<Answer, Failure> {
        if scene.trial {
            return self.try_out(question, scene).await;
        }
        let limit = self.limits().deadline;
        let deadline = began + limit;
        // Who waits for longer than this has too little time left: to be cut short would cost the instance.
        let mut borrowed = self.instances.borrow(began + limit / 4 * 3).await?;
        let Some(instance) = borrowed.instance() else { return Err(Failure::Busy) };
        let mut ran = Duration::ZERO;
        let call = timed(self.call(instance, question, scene, deadline), &mut ran);
        let called = in_time(tokio::time::timeout_at(deadline.into(), call).await, limit, deadline);
        match called {
            // A plugin that has not had its time has not failed: others had the threads.
            Err(Failure::Deadline(_)) if ran < limit / 4 * 3 => Err(Failure::CutShort),
            Err(failure) => Err(failure),
            Ok((verdict, longest)) => {
                // It has come to its end, whatever it says.
                borrowed.give_back();
                Ok(Answer::checked(verdict, longest)?)
            }
        }
    }

    /// Has an instance of its own answer, which nobody else has afterwards: it may remember what it was asked.
    async fn try_out(&self, question: &Question, scene: Scene) -> Result<Answer, Failure> {
        let mut instance = self.instances.apart().await?;
        let limit = self.limits().deadline;
        let deadline = Instant::now() + limit;
        let call = self.call(&mut instance, question, scene, deadline);
        let called = tokio::time::timeout_at(deadline.into(), call).await;
        let (verdict, longest) = in_time(called, limit, deadline)?;
        Ok(Answer::checked(verdict, longest)?)
    }

    async fn call(
        &self,
        Instance { store, filter, .. }: &mut Instance,
        question: &Question,
        scene: Scene,
        deadline: Instant,
    ) -> Result<(types::Verdict, Option<usize>), Failure> {
        let _running = self.instances.sandbox.running();
        store.data_mut().begin(scene, deadline);
        store.set_epoch_deadline(1);
        let guest = filter.gischat_filter_guest();
        let (verdict, longest) = match question {
            Question::Message { message, sender, longest } => {
                (guest.call_check(&mut *store, message, sender).await, *longest)
            }
            Question::Nickname { nickname, room, sender } => {
                (guest.call_check_nickname(&mut *store, nickname, room, sender).await, None)
            }
        };
        store.data_mut().end();
        Ok((verdict.map_err(|fault| trap(&fault, store))?, longest))
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // A call that is still under way must not have instances made for nobody.
        self.instances.retire();
    }
}

/// Runs a future and adds up the time in which it was run.
async fn timed<T>(future: impl Future<Output = T>, ran: &mut Duration) -> T {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        let began = Instant::now();
        let polled = future.as_mut().poll(context);
        *ran += began.elapsed();
        polled
    })
    .await
}

/// Has a plugin describe itself, in its first instance.
async fn describe(instances: &Instances, first: &mut Instance) -> Result<types::Description, Failure> {
    let _running = instances.sandbox.running();
    let limit = instances.shared.limits.configure_deadline;
    let deadline = Instant::now() + limit;
    let Instance { store, filter, .. } = first;
    store.data_mut().begin(Scene { at: now(), ..Scene::default() }, deadline);
    store.set_epoch_deadline(1);
    let described = async {
        let described = filter.gischat_filter_guest().call_describe(&mut *store).await;
        described.map_err(|fault| Failure::Trap(root(&fault)))
    };
    let described = in_time(tokio::time::timeout_at(deadline.into(), described).await, limit, deadline)?;
    // They are looked through for every message.
    for named in [&described.kinds, &described.hooks] {
        if named.len() > MAX_NAMED || named.iter().any(|name| name.len() > MAX_NAMED_BYTES) {
            let most = format!("{MAX_NAMED} of {MAX_NAMED_BYTES} bytes");
            return Err(Failure::Trap(format!("it names more kinds or hooks than {most}")));
        }
    }
    Ok(described)
}
