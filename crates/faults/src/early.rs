//! Who hears of records before they are durable, when that fault is built in.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

type Listener = Box<dyn FnMut(u64, &[[u8; 32]]) + Send>;

thread_local! {
    static HERE: RefCell<Option<Listener>> = const { RefCell::new(None) };
}
static ANYWHERE: Mutex<Option<Listener>> = Mutex::new(None);

/// Has this thread's writers heard by `listener`; none: by nobody.
pub(crate) fn on_this_thread(listener: Option<Listener>) {
    HERE.with(|here| *here.borrow_mut() = listener);
}

/// Has every thread's writers heard.
pub(crate) fn on_every_thread(listener: Listener) {
    *ANYWHERE.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
}

/// What the store calls.
pub(crate) fn heard(first: u64, leaves: &[[u8; 32]]) {
    let here = HERE.with(|here| {
        let mut here = here.borrow_mut();
        here.as_mut().map(|listener| listener(first, leaves))
    });
    if here.is_none()
        && let Some(listener) = ANYWHERE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
    {
        listener(first, leaves);
    }
}
