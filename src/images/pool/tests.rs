use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

type Reply = oneshot::Receiver<Result<NormalImage, ImageError>>;

/// A pool of one thread whose work is under the test's control. The thread announces each job that it begins, and waits
/// for the test before it finishes the job.
struct Stage {
    pool: ImagePool<char>,
    begun: mpsc::Receiver<String>,
    go_on: mpsc::Sender<()>,
}

impl Stage {
    fn new() -> Self {
        let (announce, begun) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let config = PoolConfig { max_waiting_bytes: 400, max_waiting_jobs: 20, ..PoolConfig::default() };
        let work = move |text: &str| {
            // Both fail if the test has ended.
            let is_running = announce.send(text.to_owned()).is_ok() && wait.lock().unwrap().recv().is_ok();
            assert!(text != "panic", "as the test wants");
            if !is_running {
                return Err(ImageError::DataUrl);
            }
            Ok(NormalImage { data: text.to_owned(), width: 1, height: 1, digest: [0; 32] })
        };
        let pool = ImagePool::start_with(&config, 100, Box::new(work)).unwrap();
        Self { pool, begun, go_on }
    }

    fn submit(&self, sender: char, text: &str) -> Reply {
        self.pool.submit(sender, text.to_owned()).unwrap()
    }

    /// Submits a job and waits until the thread is busy with it.
    fn occupy(&self) -> Reply {
        let reply = self.submit('z', "first");
        assert_eq!(self.begun.recv().unwrap(), "first");
        reply
    }

    /// Lets the thread finish `jobs` jobs.
    fn go_on(&self, jobs: usize) {
        (0..jobs).for_each(|_| self.go_on.send(()).unwrap());
    }
}

fn text_of(reply: Reply) -> String {
    reply.blocking_recv().unwrap().unwrap().data
}

#[test]
fn an_image_is_normalized() {
    let pool = ImagePool::start(&PoolConfig::default(), Limits::default()).unwrap();
    let file = include_bytes!("../../../tests/cases/images/palette.png");
    let image = pool.submit(1_u8, STANDARD.encode(file)).unwrap().blocking_recv().unwrap().unwrap();
    assert_eq!((image.width, image.height), (48, 16));
    let error = pool.submit(1, "data:,".to_owned()).unwrap().blocking_recv().unwrap();
    assert!(matches!(error, Err(ImageError::DataUrl)));
}

#[test]
fn a_file_that_makes_its_decoder_panic_does_no_harm() {
    // In zune-jpeg 0.5.15, an assertion fails: the chroma has more samples than the luma.
    let file = include_bytes!("../../../tests/cases/images/odd-sampling.jpg");
    let pool = ImagePool::start(&PoolConfig::default(), Limits::default()).unwrap();
    let _result = pool.submit(1, STANDARD.encode(file)).unwrap().blocking_recv().unwrap();
    let file = include_bytes!("../../../tests/cases/images/palette.png");
    pool.submit(1, STANDARD.encode(file)).unwrap().blocking_recv().unwrap().unwrap();
}

#[test]
fn senders_take_turns() {
    let stage = Stage::new();
    let _first = stage.occupy();
    let _replies = [('a', "a1"), ('a', "a2"), ('a', "a3"), ('b', "b1")].map(|(from, text)| stage.submit(from, text));
    stage.go_on(5);
    let order: Vec<_> = stage.begun.iter().take(4).collect();
    assert_eq!(order, ["a1", "b1", "a2", "a3"]);
}

#[test]
fn a_full_share_and_a_full_queue_are_told_apart() {
    let stage = Stage::new();
    let _first = stage.occupy();
    let large = "x".repeat(95);
    let _replies = ['a', 'b', 'c', 'd'].map(|sender| stage.submit(sender, &large));
    assert_eq!(stage.pool.submit('a', large.clone()).unwrap_err(), PoolFull::Sender);
    assert_eq!(stage.pool.submit('e', large).unwrap_err(), PoolFull::Queue);
}

#[test]
fn waiting_images_are_counted_until_a_thread_takes_them() {
    let stage = Stage::new();
    let _first = stage.occupy();
    assert_eq!(stage.pool.waiting(), Waiting::default());
    let _replies = [stage.submit('a', "12345"), stage.submit('b', "1234567")];
    assert_eq!(stage.pool.waiting(), Waiting { jobs: 2, bytes: 12 });
    stage.go_on(2);
    assert_eq!(stage.begun.iter().take(2).last().unwrap(), "1234567");
    assert_eq!(stage.pool.waiting(), Waiting::default());
}

#[test]
fn a_job_without_a_receiver_is_skipped() {
    let stage = Stage::new();
    let first = stage.occupy();
    drop(stage.submit('a', "dropped"));
    let last = stage.submit('a', "last");
    stage.go_on(2);
    assert_eq!((text_of(first), text_of(last)), ("first".to_owned(), "last".to_owned()));
    assert_eq!(stage.begun.try_iter().collect::<Vec<_>>(), ["last"]);
}

#[test]
fn a_thread_survives_a_panic() {
    let stage = Stage::new();
    let [panicking, next] = ["panic", "next"].map(|text| stage.submit('a', text));
    stage.go_on(2);
    assert!(matches!(panicking.blocking_recv().unwrap(), Err(ImageError::DecoderPanicked)));
    assert_eq!(text_of(next), "next");
}

#[test]
fn a_text_that_is_too_long_is_answered_at_once() {
    let stage = Stage::new();
    let _first = stage.occupy();
    let reply = stage.submit('a', &"x".repeat(101));
    let error = reply.blocking_recv().unwrap();
    assert!(matches!(error, Err(ImageError::TextTooLong { length: 101, limit: 100 })));
}

#[test]
fn a_dropped_pool_finishes_the_current_image_only() {
    let Stage { pool, begun, go_on } = Stage::new();
    let [current, waiting] = ["current", "waiting"].map(|text| pool.submit('a', text.to_owned()).unwrap());
    assert_eq!(begun.recv().unwrap(), "current");
    // Returns although the thread is busy.
    drop(pool);
    waiting.blocking_recv().unwrap_err();
    go_on.send(()).unwrap();
    assert_eq!(text_of(current), "current");
    // The thread has dropped its end: it has ended.
    begun.recv().unwrap_err();
}

#[test]
fn a_dropped_pool_ends_its_idle_threads() {
    let (alive, ended) = mpsc::channel::<()>();
    let work = move |_: &str| {
        let _alive = &alive;
        Err(ImageError::DataUrl)
    };
    let config = PoolConfig { threads: NonZeroUsize::new(3).unwrap(), ..PoolConfig::default() };
    drop(ImagePool::<u8>::start_with(&config, 9, Box::new(work)).unwrap());
    ended.recv().unwrap_err();
}

#[cfg(target_os = "linux")]
#[test]
fn threads_have_a_low_priority_and_leave_that_of_others() {
    let priority = || rustix::process::getpriority_process(None).unwrap();
    let before = priority();
    let (tell, told) = mpsc::channel();
    let work = move |_: &str| {
        tell.send(priority()).unwrap();
        Err(ImageError::DataUrl)
    };
    let pool = ImagePool::start_with(&PoolConfig::default(), 9, Box::new(work)).unwrap();
    let _reply = pool.submit('a', "x".to_owned()).unwrap();
    assert!(told.recv().unwrap() >= NICENESS);
    assert_eq!(priority(), before);
}
