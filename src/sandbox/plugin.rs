//! One plugin: its compiled component, its instances, and a call of it from question to answer.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::Semaphore;
use wasmtime::{Store as WasmStore, UpdateDeadline, bail};

use super::contract::{Answer, Filter, FilterPre, types};
use super::engine::{Running, Sandbox};
use super::failure::{Failure, in_time};
use super::health::Health;
use super::host::Host;
use super::limits::{Caps, Limits, MAX_NAMED, MAX_NAMED_BYTES};
use super::load::{LoadError, Patience, root};
use super::manifest::Manifest;
use super::question::{Question, Scene};
use super::shared::{Shared, lock};

/// A plugin that can be called.
pub struct Plugin {
    manifest: Manifest,
    description: types::Description,
    shared: Arc<Shared>,
    sandbox: Arc<Sandbox>,
    component: FilterPre<Host>,
    /// Instances that nobody uses now.
    idle: Mutex<Vec<Instance>>,
    /// One permit for each instance that may be.
    slots: Semaphore,
    health: Mutex<Health>,
}

struct Instance {
    store: WasmStore<Host>,
    filter: Filter,
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
        path: &std::path::Path,
        caps: &Caps,
        patience: Patience,
    ) -> Result<Self, LoadError> {
        let unfit = |text: String| LoadError::Unfit { path: path.to_owned(), text };
        // Compiling takes seconds, in which the threads of plugins have others to serve.
        let (on, file, sha256) = (Arc::clone(sandbox), path.to_owned(), manifest.sha256.clone());
        let compiling = tokio::task::spawn_blocking(move || {
            let bytes = super::load::read(&file)?;
            super::load::check_digest(&file, &bytes, sha256.as_deref())?;
            let component = super::load::compile(&on.engine, on.cache().as_ref(), &file, &bytes, patience)?;
            Ok((component, bytes.len()))
        });
        let (component, size) = compiling.await.map_err(|fault| unfit(format!("could not be read: {fault}")))??;
        let fits = |fault: wasmtime::Error| {
            unfit(format!("does not fit the contract: {}. Build it with the kit of this relay", root(&fault)))
        };
        let component = FilterPre::new(sandbox.linker.instantiate_pre(&component).map_err(fits)?).map_err(fits)?;
        let limits = manifest.limits(size, caps);
        let started = Self::start(sandbox, manifest, component, limits).await;
        started.map_err(|failure| unfit(failure.to_string()))
    }

    /// The same plugin under another manifest, as if it had just been loaded: it remembers nothing. Nothing is compiled,
    /// and the bounds stay.
    ///
    /// # Errors
    /// [`Failure`], when it refuses its settings or takes too long over them.
    pub async fn anew(&self, manifest: Manifest) -> Result<Self, Failure> {
        Self::start(&self.sandbox, manifest, self.component.clone(), self.shared.limits).await
    }

    /// Has a compiled plugin describe itself and take its settings.
    async fn start(
        sandbox: &Arc<Sandbox>,
        manifest: Manifest,
        component: FilterPre<Host>,
        limits: Limits,
    ) -> Result<Self, Failure> {
        let mut plugin = Self {
            description: types::Description {
                name: String::new(),
                version: String::new(),
                kinds: Vec::new(),
                hooks: Vec::new(),
                payload: false,
            },
            shared: Arc::new(Shared::new(&manifest.name, limits)),
            manifest,
            sandbox: Arc::clone(sandbox),
            component,
            idle: Mutex::default(),
            slots: Semaphore::new(limits.instances),
            health: Mutex::default(),
        };
        let (description, first) = plugin.first_instance().await?;
        // They are looked through for every message.
        for named in [&description.kinds, &description.hooks] {
            if named.len() > MAX_NAMED || named.iter().any(|name| name.len() > MAX_NAMED_BYTES) {
                let most = format!("{MAX_NAMED} of {MAX_NAMED_BYTES} bytes");
                return Err(Failure::Trap(format!("it names more kinds or hooks than {most}")));
            }
        }
        plugin.description = description;
        lock(&plugin.idle).push(first);
        Ok(plugin)
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
        &self.shared.limits
    }

    /// Linear memory of the largest instance that nobody uses now, in bytes; `None` when there is no such instance.
    #[must_use]
    pub fn memory(&self) -> Option<usize> {
        lock(&self.idle).iter().map(|instance| instance.store.data().limits.memory()).max()
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

    fn has_hook(&self, name: &str) -> bool {
        let hooks = &self.description.hooks;
        hooks.is_empty() || hooks.iter().any(|hook| hook == name)
    }

    /// Whether it is well, or set aside after failures.
    #[must_use]
    pub fn is_well(&self) -> bool {
        lock(&self.health).is_well()
    }

    /// Asks it, within its deadline, which counts from now. Must run on the sandbox's own threads: it computes there.
    ///
    /// # Errors
    /// [`Failure`]; the instance is thrown away then.
    ///
    /// # Cancel safety
    /// Dropping the future ends the call and throws the instance away.
    pub async fn ask(&self, question: &Question, scene: Scene) -> Result<Answer, Failure> {
        if !lock(&self.health).may_run(Instant::now()) {
            return Err(Failure::SetAside);
        }
        let limit = self.shared.limits.deadline;
        let deadline = Instant::now() + limit;
        let answered = tokio::time::timeout_at(deadline.into(), self.answer(question, scene, deadline)).await;
        let answer = in_time(answered, limit, deadline);
        match &answer {
            Ok(_) => lock(&self.health).succeeded(Instant::now()),
            Err(Failure::Busy) => {}
            Err(failure) => self.note(failure),
        }
        answer
    }

    fn note(&self, failure: &Failure) {
        let plugin = &self.manifest.name;
        tracing::warn!(plugin, %failure, "a plugin has failed");
        if let Some(rest) = lock(&self.health).failed(Instant::now()) {
            tracing::error!(plugin, seconds = rest.as_secs(), "a plugin is set aside: it failed too often");
        }
    }

    async fn answer(&self, question: &Question, scene: Scene, deadline: Instant) -> Result<Answer, Failure> {
        let _running = self.sandbox.running();
        let trap = |fault: wasmtime::Error| Failure::Trap(root(&fault));
        // Who waits for others until its time is up has not seen the plugin fail.
        let slot = tokio::time::timeout_at(deadline.into(), self.slots.acquire()).await;
        let _slot = slot.map_err(|_| Failure::Busy)?.map_err(|_| Failure::Busy)?;
        let idle = lock(&self.idle).pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => self.instance(deadline).await?,
        };
        let Instance { store, filter } = &mut instance;
        store.data_mut().begin(scene, deadline);
        store.set_epoch_deadline(1);
        let guest = filter.gischat_filter_guest();
        let (verdict, longest) = match question {
            Question::Message { message, sender, longest } => {
                (guest.call_check(&mut *store, message, sender).await.map_err(trap)?, *longest)
            }
            Question::Nickname { nickname, room, sender } => {
                (guest.call_check_nickname(&mut *store, nickname, room, sender).await.map_err(trap)?, None)
            }
        };
        let answer = Answer::checked(verdict, longest);
        lock(&self.idle).push(instance);
        Ok(answer?)
    }

    /// A new instance that has taken its settings. Within `deadline`: what is used for a message must be quick.
    async fn instance(&self, deadline: Instant) -> Result<Instance, Failure> {
        let trap = |fault: wasmtime::Error| Failure::Trap(root(&fault));
        let mut store = WasmStore::new(&self.sandbox.engine, Host::new(Arc::clone(&self.shared), &self.shared.limits));
        store.limiter(|host| &mut host.limits);
        store.set_hostcall_fuel(self.shared.limits.copied);
        store.epoch_deadline_callback(|store| {
            if Instant::now() >= store.data().deadline {
                bail!("its time was up");
            }
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store.set_epoch_deadline(1);
        store.data_mut().begin(Scene { at: now(), ..Scene::default() }, deadline);
        let filter = self.component.instantiate_async(&mut store).await.map_err(trap)?;
        let refused = filter.gischat_filter_guest().call_configure(&mut store, &self.manifest.settings).await;
        refused.map_err(trap)?.map_err(|text| {
            let text: String = text.chars().take(500).collect();
            Failure::Trap(format!("it refuses its settings: {text}"))
        })?;
        Ok(Instance { store, filter })
    }

    async fn first_instance(&self) -> Result<(types::Description, Instance), Failure> {
        let running: Running = self.sandbox.running();
        let limit = self.shared.limits.configure_deadline;
        let deadline = Instant::now() + limit;
        let first = async {
            let mut instance = self.instance(deadline).await?;
            let described = instance.filter.gischat_filter_guest().call_describe(&mut instance.store).await;
            Ok((described.map_err(|fault| Failure::Trap(root(&fault)))?, instance))
        };
        let first = tokio::time::timeout_at(deadline.into(), first).await;
        drop(running);
        in_time(first, limit, deadline)
    }
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
