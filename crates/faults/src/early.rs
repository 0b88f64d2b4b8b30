//! Who hears of a checkpoint before its transaction, when that fault is built in.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use store::EpochRow;

type Listener = Box<dyn FnMut(&EpochRow) + Send>;

thread_local! {
    static HERE: RefCell<Option<Listener>> = const { RefCell::new(None) };
}
static ANYWHERE: Mutex<Option<Listener>> = Mutex::new(None);

/// Has this thread's sealers heard by `listener`; none: by nobody.
pub(crate) fn on_this_thread(listener: Option<Listener>) {
    HERE.with(|here| *here.borrow_mut() = listener);
}

/// Has every thread's sealers heard.
pub(crate) fn on_every_thread(listener: Listener) {
    *ANYWHERE.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
}

/// What the store calls.
pub(crate) fn heard(signed: &EpochRow) {
    let here = HERE.with(|here| {
        let mut here = here.borrow_mut();
        here.as_mut().map(|listener| listener(signed))
    });
    if here.is_none()
        && let Some(listener) = ANYWHERE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
    {
        listener(signed);
    }
}
