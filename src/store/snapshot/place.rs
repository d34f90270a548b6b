//! Where snapshots are: a folder, or a bucket of an S3-compatible store, named by one URL.
//!
//! The object store answers through futures; snapshots are written and read on threads that run none. So a place
//! has a small runtime of its own, which works only while one of these threads waits in it.
//!
//! Endpoint, region and keys of a bucket come from the environment, by the names that tools for S3 have
//! (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ALLOW_HTTP`, …): secrets do
//! not belong into a URL, which is logged.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ListResult, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::runtime::Runtime;

use super::super::StoreError;
use super::super::disk::io_error;
use super::signing::Signing;

/// A request that fails for a reason that may pass is sent again for so long.
const RETRY_WITHIN: Duration = Duration::from_secs(30);
/// How often one is sent again.
const RETRIES_MAX: usize = 6;
/// Objects read at a time when many are: what is on its way hides how long a bucket takes to answer.
const READ_AT_ONCE: usize = 8;
/// How soon somebody who waits for the object store notices that he is to stop.
const STOP_STEP: Duration = Duration::from_millis(20);
/// Variables that name the endpoint of a bucket, the first that is set counts.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
/// Without this variable a connection must be encrypted.
const ALLOW_HTTP: &str = "AWS_ALLOW_HTTP";

/// Objects by path. Clones are the same place.
#[derive(Clone)]
pub(super) struct Place {
    objects: Arc<dyn ObjectStore>,
    runtime: Arc<Runtime>,
    url: String,
    stop: Option<Arc<AtomicBool>>,
}

impl Place {
    /// A place named by a path, a `file://` or an `s3://` URL. A folder is made when there is none; a bucket is not
    /// asked before it is used.
    pub(super) fn open(
        url: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        let objects = match url.split_once("://") {
            None => folder(url, url)?,
            Some(("file", path)) => folder(url, path)?,
            Some(("s3", place)) => bucket(place, variables)?,
            Some((scheme, _)) => {
                return Err(StoreError::Failed(format!(
                    "snapshots cannot be kept in `{scheme}:`; name a folder, file://FOLDER or s3://BUCKET/PREFIX"
                )));
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(url, &error))?;
        Ok(Self { objects, runtime: Arc::new(runtime), url: url.to_owned(), stop: None })
    }

    /// The same place; once `stop` is set, every call ends with [`StoreError::Stopped`].
    pub(super) fn stopped_by(&self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(stop), ..self.clone() }
    }

    /// Writes an object, whole or not at all.
    pub(super) fn put(&self, path: &Path, bytes: Vec<u8>) -> Result<(), StoreError> {
        let put = self.wait(self.objects.put(path, bytes.into()))?;
        put.map(drop).map_err(|error| failed(&self.url, &error))
    }

    /// Reads an object; none when there is none.
    pub(super) fn get(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        self.wait(read(Arc::clone(&self.objects), path.clone()))?.map_err(|error| failed(&self.url, &error))
    }

    /// Reads objects, several at a time, and hands them on in the order named, until one is not taken.
    pub(super) fn get_each(
        &self,
        paths: impl IntoIterator<Item = Path>,
        mut take: impl FnMut(Option<Vec<u8>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.wait(async {
            let mut paths = paths.into_iter();
            let mut reading = VecDeque::new();
            loop {
                for path in paths.by_ref().take(READ_AT_ONCE - reading.len()) {
                    reading.push_back(tokio::spawn(read(Arc::clone(&self.objects), path)));
                }
                let Some(first) = reading.pop_front() else { return Ok(()) };
                let done = first.await.map_err(|error| failed(&self.url, &error))?;
                take(done.map_err(|error| failed(&self.url, &error))?)?;
            }
        })?
    }

    /// What is directly under a path.
    pub(super) fn list(&self, path: Option<&Path>) -> Result<ListResult, StoreError> {
        self.wait(self.objects.list_with_delimiter(path))?.map_err(|error| failed(&self.url, &error))
    }

    /// Removes an object, if it is there.
    pub(super) fn delete(&self, path: &Path) -> Result<(), StoreError> {
        match self.wait(self.objects.delete(path))? {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            done => done.map_err(|error| failed(&self.url, &error)),
        }
    }

    /// What comes of the work, unless it is stopped.
    fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stopped() => Err(StoreError::Stopped),
                done = work => Ok(done),
            }
        })
    }

    /// Ends when there is somebody who says stop, and he says it.
    async fn stopped(&self) {
        match &self.stop {
            None => std::future::pending().await,
            Some(stop) => {
                while !stop.load(Ordering::Relaxed) {
                    tokio::time::sleep(STOP_STEP).await;
                }
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

async fn read(objects: Arc<dyn ObjectStore>, path: Path) -> object_store::Result<Option<Vec<u8>>> {
    match objects.get(&path).await {
        Ok(found) => found.bytes().await.map(|bytes| Some(bytes.to_vec())),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(url: &str, path: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
    if path.is_empty() {
        return Err(StoreError::Failed(format!("`{url}` names no folder")));
    }
    let path = FilePath::new(path);
    std::fs::create_dir_all(path).map_err(|error| io_error(path, &error))?;
    let objects = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(url, &error))?;
    Ok(Arc::new(objects.with_automatic_cleanup(true)))
}

/// A bucket, and perhaps a path in it. What stands before an `@` may be a secret, so it is not repeated.
fn bucket(
    place: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let refuse = |problem: String| Err(StoreError::Failed(problem));
    if bucket.is_empty() {
        return refuse("`s3://` names no bucket: write s3://BUCKET/PREFIX".to_owned());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !bucket.chars().all(is_plain) || prefix.contains(['?', '#', '@']) {
        return refuse(
            "what follows `s3://` must be BUCKET/PREFIX and nothing else; endpoint and keys come from the environment: \
             AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        );
    }
    let variables: Vec<(String, String)> =
        variables.into_iter().filter(|(name, _)| name.starts_with("AWS_")).collect();
    let value = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let endpoint = ENDPOINTS.iter().find_map(|name| Some((name, value(name)?)));
    if let Some((name, endpoint)) = endpoint
        && endpoint.starts_with("http://")
        && value(ALLOW_HTTP).is_none_or(|allowed| allowed != "true")
    {
        return refuse(format!("{name} is not encrypted (http://); set {ALLOW_HTTP}=true if that is meant"));
    }
    let mut builder = AmazonS3Builder::new()
        // One at a time: not every compatible store knows the other way.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_WITHIN,
            ..RetryConfig::default()
        })
        .with_crypto_provider(Arc::new(Signing));
    for (name, value) in &variables {
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    let url = format!("s3://{place}");
    let objects = builder.with_bucket_name(bucket).build().map_err(|error| failed(&url, &error))?;
    Ok(Arc::new(PrefixStore::new(objects, Path::from(prefix))))
}

fn failed(url: &str, error: &dyn std::error::Error) -> StoreError {
    StoreError::Failed(format!("the snapshots in {url}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str, variables: &[(&str, &str)]) -> String {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Place::open(url, variables).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_a_place_is_refused_and_says_what_to_write() {
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        for (url, variables, said) in [
            ("gs://b/p", &keys[..], "`gs:`"),
            ("file://", &keys, "names no folder"),
            ("", &keys, "names no folder"),
            ("s3://", &keys, "names no bucket"),
            ("s3:///p", &keys, "names no bucket"),
            ("s3://user:hidden@b/p", &keys, "BUCKET/PREFIX"),
            ("s3://b/p?endpoint=x", &keys, "AWS_ENDPOINT_URL"),
            ("s3://b/p", &keys[..1], "SecretAccessKey"),
            ("s3://b", &[("AWS_ENDPOINT", "http://h:9000"), keys[0], keys[1]], "AWS_ALLOW_HTTP=true"),
            ("s3://b", &[("AWS_ALLOW_HTTP", "perhaps"), keys[0], keys[1]], "perhaps"),
        ] {
            let error = refused(url, variables);
            assert!(error.contains(said) && !error.contains("hidden"), "{url}: {error}");
        }
    }

    #[test]
    fn a_bucket_is_not_asked_before_it_is_used() {
        let variables = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let place = Place::open("s3://bucket/some/prefix", variables).unwrap();
        let stopped = place.stopped_by(Arc::new(AtomicBool::new(true)));
        assert!(matches!(stopped.get(&Path::from("x")), Err(StoreError::Stopped)));
    }
}
