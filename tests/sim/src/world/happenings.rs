//! What happens outside: people push, delete and publish, and machines break.

use std::sync::Arc;
use std::time::Duration;

use cve_monitor_core::ports::{Registry as _, RegistryError, Unreadable};
use cve_monitor_core::testkit::model::{MemoryRegistry, ModelAdvisory, ModelScanner};
use cve_monitor_core::vocabulary::{
    Cause, Generation, ImageId, Lane, MediaType, Platform, RawManifest, RequestId, ScanRequest, Tag,
};

use super::World;
use super::catalogue::{Kind, PACKAGES, VERSIONS};
use crate::stage::Role;

/// Advisories that are published and withdrawn.
const ADVISORIES: [&str; 6] = ["CVE-1", "CVE-2", "CVE-3", "CVE-4", "CVE-5", "CVE-6"];
/// What may be away.
const PORTS: [&str; 8] = ["store", "queue", "index", "archive", "scanner", "registry", "sink", "feed"];
/// An outage lasts at most this, in seconds.
const OUTAGE_MAX_S: u64 = 1800;

type Happening = fn(&World);

/// What may happen, and how often in comparison.
const HAPPENINGS: [(u64, Happening); 21] = [
    (30, |world| world.push_any()),
    (12, |world| world.publish()),
    (8, |world| world.withdraw()),
    (4, |world| world.repair_an_advisory()),
    (3, |world| world.edit_a_text()),
    (8, |world| world.delete_any(true)),
    (5, |world| world.delete_and_push_again()),
    (4, |world| world.doubt()),
    (4, |world| world.move_a_tag()),
    (2, |world| world.feed_forgets()),
    (10, |world| world.scanner_lags()),
    (2, |world| world.scanner_loads()),
    (2, |world| world.scanner_lacks()),
    (1, |world| world.scanner_loses_all()),
    (1, |world| world.scanner_is_upgraded()),
    (2, |world| world.damage()),
    (3, |world| world.mend()),
    (2, |world| world.close_or_open()),
    (3, |world| world.port_goes_away()),
    (3, |world| world.feed_goes_away()),
    (3, |world| world.operator_acts()),
];

impl World {
    /// The first state of knowledge, and some images from before we came.
    pub(crate) fn begin(&self) {
        let loads_at_once = self.chance(|chance| chance.happens(7000));
        if loads_at_once {
            self.publish();
        }
        for _ in 0..3 {
            let place = self.any(|_| true);
            place.into_iter().for_each(|place| drop(self.put(place)));
        }
    }

    /// Something happens.
    pub(crate) fn happen(&self) {
        let is_hasty = self.truth.lock().mistake.is_some() && self.chance(|chance| chance.happens(3000));
        if is_hasty {
            return self.withdraw();
        }
        let all: u64 = HAPPENINGS.iter().map(|(weight, _)| weight).sum();
        let mut lot = self.chance(|chance| chance.between(0, all - 1));
        for (weight, happening) in HAPPENINGS {
            if lot < weight {
                return happening(self);
            }
            lot -= weight;
        }
    }

    /// What is wrong outside ends: data is loaded, doors are open, everybody sees the newest.
    pub(crate) fn calm(&self) {
        self.stage.props().faults.end();
        if self.knowledge.latest().is_none() {
            self.publish();
        }
        let mut truth = self.truth.lock();
        truth.scanner.loading = false;
        truth.scanner.missing.clear();
        truth.scanner.lags.clear();
        for known in &truth.images {
            self.registry.fail_repository(&known.repository, None);
        }
    }

    pub(super) fn chance<T>(&self, draw: impl FnOnce(&mut crate::stage::Chance) -> T) -> T {
        draw(&mut self.stage.props().chance)
    }

    fn tell(&self, kind: &'static str, what: impl FnOnce() -> String) {
        self.stage.count(kind);
        self.stage.note(Role::Outside, crate::stage::code_of(kind), || format!("{kind}: {}", what()));
    }

    /// The place of some image of the catalogue.
    fn any(&self, fits: impl Fn(&super::Known) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = {
            let truth = self.truth.lock();
            (0..truth.images.len()).filter(|place| fits(&truth.images[*place])).collect()
        };
        self.chance(|chance| chance.pick(&fitting))
    }

    fn request(&self, image: &ImageId, cause: Cause) {
        let number = {
            let mut truth = self.truth.lock();
            truth.requests += 1;
            truth.requests
        };
        let id = RequestId(format!("outside-{number}"));
        self.queue.put(Lane::Push, [Ok(ScanRequest { id, image: image.clone(), cause, at_least: None })]);
    }

    /// Puts an image into the registry; an index after its children.
    fn put(&self, place: usize) -> Option<ImageId> {
        let known = self.truth.lock().images.get(place)?.clone();
        let tag: Option<Tag> = known.tag.parse().ok();
        let id = match &known.kind {
            Kind::Image(layers) => {
                let layers: Vec<Vec<u8>> = layers.iter().map(|layer| layer.clone().into_bytes()).collect();
                // A variant of its own: no two images of the catalogue have the same digest.
                let (os, architecture) = ("linux".to_owned(), "arm".to_owned());
                let platform = Platform { os, architecture, variant: Some(format!("v{place}")) };
                let is_child = self.is_child(place);
                let tag = tag.filter(|_| !is_child);
                self.registry.put_image_for(&known.repository, tag.as_ref(), &platform, &layers)
            }
            Kind::Index(children) => {
                let put: Vec<ImageId> = children.iter().filter_map(|child| self.put(*child)).collect();
                // Named after its place as well: no two indexes have the same digest.
                let (os, architecture) = ("linux".to_owned(), "arm".to_owned());
                let platform = Platform { os, architecture, variant: Some(format!("i{place}")) };
                let put: Vec<_> =
                    put.into_iter().map(|child| (child.digest, Some(platform.clone()))).collect();
                self.registry.put_index(&known.repository, tag.as_ref(), &put)
            }
            Kind::Artifact => {
                let bytes = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.dev.cosign.artifact.sig.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
                let manifest = RawManifest {
                    media_type: Some(MediaType(MediaType::OCI_MANIFEST.to_owned())),
                    bytes: bytes.to_vec(),
                };
                self.registry.put_manifest(&known.repository, tag.as_ref(), manifest)
            }
        };
        let tagged = !self.registry_tags(&id).is_empty();
        let mut truth = self.truth.lock();
        let known = &mut truth.images[place];
        known.id = Some(id.clone());
        (known.present, known.damaged, known.tagged) = (true, false, tagged);
        if known.archived {
            self.registry.archive(&id, false);
            known.archived = false;
        }
        Some(id)
    }

    fn registry_tags(&self, id: &ImageId) -> Vec<Tag> {
        super::now(self.registry.tags(id)).unwrap_or_default()
    }

    /// Children of an index are pushed without a tag of their own.
    fn is_child(&self, place: usize) -> bool {
        self.truth
            .lock()
            .images
            .iter()
            .any(|known| matches!(&known.kind, Kind::Index(c) if c.contains(&place)))
    }

    /// A push, whose event may be lost.
    fn push(&self, place: usize) {
        let Some(id) = self.put(place) else { return };
        let is_lost = self.chance(|chance| chance.happens(1500));
        self.tell("push", || id.to_string());
        if is_lost {
            self.tell("push event lost", || id.to_string());
        } else {
            let tag = self.truth.lock().images[place].tag.parse().ok();
            self.request(&id, Cause::Push { tag });
        }
    }

    fn push_any(&self) {
        self.any(|_| true).into_iter().for_each(|place| self.push(place));
    }

    fn delete(&self, place: usize, tells: bool) {
        let Some(id) = self.truth.lock().images[place].id.clone() else { return };
        self.registry.delete(&id);
        {
            let mut truth = self.truth.lock();
            let known = &mut truth.images[place];
            (known.present, known.tagged, known.damaged) = (false, false, false);
        }
        self.tell("deletion", || id.to_string());
        if tells && self.chance(|chance| chance.happens(6000)) {
            self.request(&id, Cause::Absence);
        }
    }

    fn delete_any(&self, tells: bool) {
        self.any(|known| known.present).into_iter().for_each(|place| self.delete(place, tells));
    }

    /// The event of the deletion may come after the push, or never.
    fn delete_and_push_again(&self) {
        let Some(place) = self.any(|known| known.present) else { return };
        self.delete(place, true);
        self.push(place);
        self.tell("deleted and pushed again", String::new);
    }

    /// Somebody says that an image is gone: it may be one tag of five.
    fn doubt(&self) {
        let Some(place) = self.any(|known| known.present) else { return };
        let Some(id) = self.truth.lock().images[place].id.clone() else { return };
        self.tell("false news of a deletion", || id.to_string());
        self.request(&id, Cause::Absence);
    }

    /// The tag goes to another image, or away.
    fn move_a_tag(&self) {
        let Some(place) = self.any(|known| known.tagged) else { return };
        let mut truth = self.truth.lock();
        let known = &mut truth.images[place];
        if let Ok(tag) = known.tag.parse() {
            self.registry.untag(&known.repository, &tag);
            known.tagged = false;
        }
        drop(truth);
        self.tell("tag taken away", String::new);
    }

    fn publish(&self) {
        let (name, package, fixed) = self.chance(|chance| {
            let fixed = if chance.happens(4000) { chance.pick(&VERSIONS) } else { None };
            (chance.below(ADVISORIES.len()), chance.below(PACKAGES.len()), fixed)
        });
        let mut advisory = ModelAdvisory::new(ADVISORIES[name], PACKAGES[package]);
        advisory.fixed_by = fixed.map(str::to_owned);
        // Often what was published is withdrawn before anybody has looked: two states between two looks.
        if self.chance(|chance| chance.happens(4000)) {
            self.truth.lock().mistake = Some(advisory.name.clone());
        }
        let generation = self.knowledge.publish(vec![advisory.clone()]);
        self.learnt(generation, move |state| drop(state.insert(advisory.name.clone(), advisory)));
    }

    fn withdraw(&self) {
        let mistake = self.truth.lock().mistake.take();
        let Some(name) = mistake.or_else(|| self.an_advisory()) else { return };
        let generation = self.knowledge.withdraw(&name);
        self.learnt(generation, |state| drop(state.remove(&name)));
    }

    fn repair_an_advisory(&self) {
        let Some(name) = self.an_advisory() else { return };
        let fixed = self.chance(|chance| chance.pick(&VERSIONS)).map(str::to_owned);
        let Some(mut advisory) = self.truth.lock().states.last().and_then(|state| state.get(&name).cloned())
        else {
            return;
        };
        advisory.fixed_by = fixed;
        let generation = self.knowledge.publish(vec![advisory.clone()]);
        self.learnt(generation, |state| drop(state.insert(name, advisory)));
    }

    fn edit_a_text(&self) {
        let Some(name) = self.an_advisory() else { return };
        let generation = self.knowledge.edit_text(&name, "another text");
        self.learnt(generation, |_| {});
    }

    fn an_advisory(&self) -> Option<String> {
        let names: Vec<String> = self.truth.lock().states.last()?.keys().cloned().collect();
        let place = self.chance(|chance| chance.below(names.len()));
        names.into_iter().nth(place)
    }

    fn learnt(
        &self,
        generation: Generation,
        change: impl FnOnce(&mut std::collections::BTreeMap<String, ModelAdvisory>),
    ) {
        {
            let mut truth = self.truth.lock();
            let mut state = truth.states.last().cloned().unwrap_or_default();
            change(&mut state);
            truth.states.push(state);
        }
        self.tell("state of knowledge published", || format!("{}: {}", generation.0, self.told_state()));
    }

    fn told_state(&self) -> String {
        let truth = self.truth.lock();
        let told = |a: &ModelAdvisory| format!("{} in {} fixed by {:?}", a.name, a.package, a.fixed_by);
        truth.states.last().into_iter().flat_map(|s| s.values()).map(told).collect::<Vec<_>>().join("; ")
    }

    fn feed_forgets(&self) {
        let Some(latest) = self.knowledge.latest() else { return };
        let upto = self.chance(|chance| chance.between(1, latest.0));
        self.knowledge.forget_up_to(Generation(upto));
        self.tell("feed forgets", || format!("up to {upto} of {}", latest.0));
    }

    /// The feed is ahead of the answers that one process gets.
    fn scanner_lags(&self) {
        let (worker, by) = self.chance(|chance| (chance.below(3), chance.between(0, 3)));
        let role = Role::Ingest(u8::try_from(worker).unwrap_or(0));
        self.truth.lock().scanner.lags.insert(role, by);
        self.tell("answers behind the feed", || format!("{role} by {by}"));
    }

    fn scanner_loads(&self) {
        let loading = {
            let mut truth = self.truth.lock();
            truth.scanner.loading = !truth.scanner.loading;
            truth.scanner.loading
        };
        self.tell("scanner loading or loaded", || loading.to_string());
    }

    fn scanner_lacks(&self) {
        let place = self.chance(|chance| chance.below(PACKAGES.len()));
        let mut truth = self.truth.lock();
        if !truth.scanner.missing.remove(PACKAGES[place]) {
            truth.scanner.missing.insert(PACKAGES[place]);
        }
        drop(truth);
        self.tell("scanner lacks some data or has it", || PACKAGES[place].to_owned());
    }

    /// It comes back without anything: no cursor of before means anything to it.
    fn scanner_loses_all(&self) {
        let Some(latest) = self.knowledge.latest() else { return };
        let images: Vec<ImageId> =
            self.truth.lock().images.iter().filter_map(|known| known.id.clone()).collect();
        let none = Arc::new(MemoryRegistry::new(self.registry_name()));
        let scanner = ModelScanner::new(Arc::clone(&self.knowledge), none);
        images.iter().for_each(|image| scanner.forget(image));
        self.knowledge.forget_up_to(latest);
        self.tell("scanner restarted empty", String::new);
    }

    fn scanner_is_upgraded(&self) {
        let version = {
            let mut truth = self.truth.lock();
            truth.scanner.version += 1;
            truth.scanner.version
        };
        self.tell("scanner upgraded", || version.to_string());
    }

    fn damage(&self) {
        let Some(place) = self.any(|known| known.present && !known.damaged) else { return };
        let blob = self.chance(|chance| chance.happens(5000));
        let mut truth = self.truth.lock();
        let known = &mut truth.images[place];
        let Some(id) = known.id.clone() else { return };
        known.damaged = match known.own_layer().filter(|_| blob) {
            Some(layer) => self.registry.delete_blob(&layer),
            None => self.registry.damage(&id.digest),
        };
        drop(truth);
        self.tell("image damaged", || id.to_string());
    }

    fn mend(&self) {
        let damaged = self.any(|known| known.present && known.damaged);
        damaged.into_iter().for_each(|place| self.push(place));
    }

    /// Access to a repository is denied, or given again; an image is archived, or restored.
    fn close_or_open(&self) {
        let Some(place) = self.any(|known| known.present) else { return };
        let lot = self.chance(|chance| chance.below(4));
        let mut truth = self.truth.lock();
        let known = &mut truth.images[place];
        let Some(id) = known.id.clone() else { return };
        match lot {
            0 => self
                .registry
                .fail_repository(&known.repository, Some(RegistryError::Denied("closed".to_owned()))),
            1 | 2 => self.registry.fail_repository(&known.repository, None),
            _ => {
                known.archived = !known.archived;
                self.registry.archive(&id, known.archived);
            }
        }
        let archived = known.archived;
        drop(truth);
        self.tell("repository closed or opened, image archived or restored", || {
            format!("{id} {lot} {archived}")
        });
        if lot == 3 && !archived {
            self.request(&id, Cause::Push { tag: None });
        }
    }

    /// The notifier sleeps through several states.
    fn feed_goes_away(&self) {
        let seconds = self.chance(|chance| chance.between(60, OUTAGE_MAX_S));
        let until = self.stage.now().plus(Duration::from_secs(seconds));
        self.stage.props().faults.outage("feed", until);
        self.tell("notifier asleep", || format!("for {seconds} s"));
    }

    fn port_goes_away(&self) {
        let (port, seconds) =
            self.chance(|chance| (chance.below(PORTS.len()), chance.between(1, OUTAGE_MAX_S)));
        let until = self.stage.now().plus(Duration::from_secs(seconds));
        self.stage.props().faults.outage(PORTS[port], until);
        self.tell("outage", || format!("{} for {seconds} s", PORTS[port]));
    }

    /// A letter is sent again, an image is asked for by hand, or garbage arrives.
    fn operator_acts(&self) {
        let letters = self.queue.letters();
        match self.chance(|chance| chance.below(4)) {
            0 | 1 if !letters.is_empty() => {
                let place = self.chance(|chance| chance.below(letters.len()));
                self.queue.redrive(&letters[place].id);
                self.tell("letter redriven", || letters[place].id.to_string());
            }
            0 | 1 => {}
            2 => {
                let Some(place) = self.any(|known| known.id.is_some()) else { return };
                let Some(id) = self.truth.lock().images[place].id.clone() else { return };
                self.request(&id, Cause::Operator);
                self.tell("asked by hand", || id.to_string());
            }
            _ => {
                let body = format!("garbage {}", self.chance(|chance| chance.below(1000)));
                self.truth.lock().garbage.insert(body.clone());
                self.tell("garbage in the queue", || body.clone());
                self.queue
                    .put(Lane::Push, [Err(Unreadable { body, problem: "it is no request".to_owned() })]);
            }
        }
    }
}
