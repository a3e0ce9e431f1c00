use super::*;
use crate::store::object_name;

/// A warehouse and a folder for views, and what a run would make of them.
struct Trial {
    folder: tempfile::TempDir,
    store: Store,
    chain: Vec<Digest>,
}

impl Trial {
    async fn new() -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("warehouse")).unwrap();
        let hash = Digest::of(b"the first entry");
        store.put(&crate::ledger::Entry::path(1), b"{}".to_vec()).await.unwrap();
        Trial { folder, store, chain: vec![hash] }
    }

    async fn document(&self, text: &str) -> File {
        let digest = self.store.put_named("documents", "html", text.as_bytes().to_vec()).await.unwrap();
        File::Copy(object_name("documents", &digest, "html"), digest)
    }

    async fn open(&self) -> Result<View> {
        let owner = Owner::of(self.store.folder(), "host", &self.chain);
        let claim = Claim { owner, chain: &self.chain, company: "Alderbrook", store: &self.store };
        View::open(Kind::Site, &self.folder.path().join("site"), Access::Owner, &claim).await
    }

    /// Makes folders what is wanted: folder -> name of a scorecard -> its text.
    async fn publish(&self, wanted: &[(&str, &[(&str, &str)])]) -> Told {
        let mut view = self.open().await.unwrap();
        let units: BTreeSet<String> = wanted.iter().map(|(unit, _)| (*unit).to_owned()).collect();
        let ours = view.begin(&self.store, units.clone()).await.unwrap();
        for (unit, files) in wanted.iter().filter(|(unit, _)| ours.contains(*unit)) {
            let mut all = BTreeMap::from([("index.html".to_owned(), File::Page(format!("index of {unit}")))]);
            for (name, text) in *files {
                all.insert(format!("2026-09/card/{name}.html"), self.document(text).await);
            }
            view.make(&self.store, unit, all, Look::Size).await.unwrap();
        }
        for unit in view.unwanted(&units).unwrap() {
            view.make(&self.store, &unit, BTreeMap::new(), Look::Size).await.unwrap();
        }
        view.end(Owner::of(self.store.folder(), "host", &self.chain)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("site").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("site").join(path)).ok()
    }

    fn is_there(&self, path: &str) -> bool {
        self.folder.path().join("site").join(path).exists()
    }
}

fn quiet(told: &Told) -> bool {
    told.left.is_empty() && told.taken.is_empty() && told.extra.is_empty() && !told.was_open
}

const ANN: (&str, &[(&str, &str)]) = ("rep-ann", &[("ann", "of Ann")]);
const BOB: (&str, &[(&str, &str)]) = ("rep-bob", &[("bob", "of Bob")]);

#[tokio::test]
async fn what_is_wanted_is_made_and_what_is_not_leaves() {
    let trial = Trial::new().await;
    assert!(quiet(&trial.publish(&[ANN, BOB]).await));
    assert_eq!(trial.read("rep-bob/2026-09/card/bob.html").as_deref(), Some("of Bob"));
    assert_eq!(trial.read("rep-bob/SHA256SUMS").unwrap().lines().count(), 2);
    assert!(quiet(&trial.publish(&[ANN, BOB]).await));
    trial.write("rep-ann/index.html", "edited");
    trial.write("rep-ann/2026-09/card/ann.html", "edited too");
    let told = trial.publish(&[ANN]).await;
    assert_eq!(told.left, ["rep-bob/2026-09/card/bob.html"]);
    assert!(!trial.is_there("rep-bob"), "an empty folder still carries the name");
    assert_eq!(trial.read("rep-ann/2026-09/card/ann.html").as_deref(), Some("of Ann"));
    assert_eq!(trial.read("rep-ann/index.html").as_deref(), Some("index of rep-ann"));
}

#[tokio::test]
async fn what_is_of_others_stays() {
    let trial = Trial::new().await;
    trial.publish(&[ANN]).await;
    trial.write("rep-ann/2026-09/notes.txt", "theirs");
    trial.write("downloads/SHA256SUMS", &format!("{}  tool\n", Digest::of(b"tool")));
    trial.write("downloads/tool", "tool");
    // A folder of others has the name of one that is to be made.
    trial.write("rep-bob/index.html", "theirs");
    let told = trial.publish(&[ANN, BOB]).await;
    assert_eq!(told.extra, ["rep-ann/2026-09/notes.txt"]);
    assert_eq!(told.taken, BTreeSet::from(["rep-bob".to_owned()]));
    assert_eq!(trial.read("rep-bob/index.html").as_deref(), Some("theirs"));
    // Whose folder leaves leaves what is of others in it.
    let told = trial.publish(&[]).await;
    assert_eq!(told.left, ["rep-ann/2026-09/card/ann.html"]);
    assert_eq!(trial.read("rep-ann/2026-09/notes.txt").as_deref(), Some("theirs"));
    assert!(!trial.is_there("rep-ann/SHA256SUMS") && !trial.is_there("rep-ann/2026-09/card"));
    assert!(trial.is_there("downloads/tool"));
    assert!(quiet(&trial.publish(&[]).await), "it is nobody's folder by now");
}

#[tokio::test]
async fn a_foreign_list_gives_no_rights() {
    let trial = Trial::new().await;
    trial.publish(&[ANN]).await;
    trial.write("rep-ann/mine.txt", "theirs");
    trial.write("rep-ann/2026-09/card/eve.html", "theirs");
    let list = trial.read("rep-ann/SHA256SUMS").unwrap();
    let theirs = Digest::of(b"theirs");
    trial.write("rep-ann/SHA256SUMS", &format!("{list}{theirs}  mine.txt\n{theirs}  2026-09/card/eve.html\n"));
    let eve: (&str, &[(&str, &str)]) = ("rep-ann", &[("ann", "of Ann"), ("eve", "of Eve")]);
    let told = trial.publish(&[eve]).await;
    assert_eq!(told.extra, ["rep-ann/mine.txt"]);
    assert_eq!(told.taken, BTreeSet::from(["rep-ann/2026-09/card/eve.html".to_owned()]));
    assert_eq!(trial.read("rep-ann/2026-09/card/eve.html").as_deref(), Some("theirs"));
    // What is not ours is in no list of ours, so it stays foreign.
    assert_eq!(trial.read("rep-ann/SHA256SUMS").unwrap(), list);
    assert_eq!(trial.publish(&[eve]).await.taken.len(), 1);
}

#[tokio::test]
async fn a_killed_run_is_made_up_for() {
    let trial = Trial::new().await;
    trial.publish(&[ANN]).await;
    // It had begun with Bob and written all but the list.
    let mut view = trial.open().await.unwrap();
    view.begin(&trial.store, BTreeSet::from(["rep-ann".into(), "rep-bob".into()])).await.unwrap();
    let File::Copy(object, _) = trial.document("of Bob").await else { unreachable!() };
    let bytes = trial.store.get(&object).await.unwrap();
    trial.write("rep-bob/2026-09/card/bob.html", std::str::from_utf8(&bytes).unwrap());
    trial.write("rep-bob/index.html", "of that run");
    trial.write("rep-ann/index.html", "of that run");
    trial.write(".scorebook-view.part", "half a fi");
    let newer: (&str, &[(&str, &str)]) = ("rep-bob", &[("bob", "of Bob, a day later")]);
    let told = trial.publish(&[ANN, newer]).await;
    assert!(quiet(&told), "{told:?}");
    assert_eq!(trial.read("rep-bob/2026-09/card/bob.html").as_deref(), Some("of Bob, a day later"));
    assert_eq!(trial.read("rep-bob/index.html").as_deref(), Some("index of rep-bob"));
    assert!(!trial.is_there(".scorebook-view.part"));
    assert!(quiet(&trial.publish(&[ANN, newer]).await));
}

#[tokio::test]
async fn a_folder_without_a_marker_is_taken_only_if_it_is_ours_by_its_bytes() {
    let trial = Trial::new().await;
    trial.publish(&[ANN, BOB]).await;
    let marker = trial.folder.path().join("site").join(MARKER);
    std::fs::remove_file(&marker).unwrap();
    trial.write("downloads/tool", "tool");
    trial.write("lost+found/inode", "");
    let told = trial.publish(&[ANN]).await;
    assert_eq!(told.left, ["rep-bob/2026-09/card/bob.html"]);
    assert!(trial.is_there("downloads/tool") && !trial.is_there("rep-bob"));
    // Without any document of this warehouse it is somebody else's.
    std::fs::remove_file(&marker).unwrap();
    trial.write("rep-ann/SHA256SUMS", &format!("{}  2026-09/card/ann.html\n", Digest::of(b"another warehouse's")));
    let refused = trial.open().await.err().unwrap();
    assert!(refused.message.contains("holds other things"), "{}", refused.message);
    assert!(!marker.exists());
    std::fs::write(&marker, "").unwrap();
    let told = trial.publish(&[BOB]).await;
    assert!(told.left.is_empty() && trial.is_there("rep-ann") && trial.is_there("rep-bob/index.html"));
}
