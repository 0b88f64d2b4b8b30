//! A file system under `SQLite` that reports to `watch.rs` and then does what
//! the default one does: locks and shared memory are the real ones.
//!
//! Source of the interface: <https://www.sqlite.org/vfs.html>. All unsafe code
//! of the shed but one call is here.
#![expect(unsafe_code, reason = "SQLite's file system interface is C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

use libsqlite3_sys as sys;

use crate::watch::{Failing, Op, Watch};

/// Who watches a file; null for files that nobody watches.
struct Watched {
    watch: Arc<Watch>,
    name: String,
    /// Until its first sync, which then covers the folder too (`unixSync` and
    /// `UNIXFILE_DIRSYNC`: journals and write-ahead logs that were made anew).
    syncs_folder: bool,
}

/// Our part of an open file; the default file system's part follows it.
#[repr(C)]
struct Shim {
    base: sys::sqlite3_file,
    watched: *mut Watched,
}

const OWN: usize = size_of::<Shim>();

static REAL: AtomicPtr<sys::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());

static METHODS: sys::sqlite3_io_methods = sys::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes it the file system of every database that this process opens from now on.
pub(crate) fn install() -> Result<(), String> {
    // Once: the second one would find the first to be the default, and ask itself.
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    INSTALLED.get_or_init(register).clone()
}

fn register() -> Result<(), String> {
    // SAFETY: a null name asks for the default; the copy lives for ever, as
    // registration demands, and its functions come from the same library.
    let registered = unsafe {
        let real = sys::sqlite3_vfs_find(std::ptr::null());
        if real.is_null() {
            return Err("SQLite has no file system here".to_owned());
        }
        REAL.store(real, Ordering::Release);
        let mut shim = std::ptr::read(real);
        let own = c_int::try_from(OWN).map_err(|e| e.to_string())?;
        shim.szOsFile += own;
        shim.pNext = std::ptr::null_mut();
        shim.zName = c"faults".as_ptr();
        shim.xOpen = Some(open);
        shim.xDelete = Some(delete);
        sys::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1)
    };
    if registered == sys::SQLITE_OK {
        Ok(())
    } else {
        Err(format!("SQLite refused the file system: {registered}"))
    }
}

fn path(name: *const c_char) -> Option<&'static Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite passes a text that ends with zero and outlives the call;
    // the path is not kept beyond it.
    let text = unsafe { CStr::from_ptr(name) };
    Some(Path::new(std::ffi::OsStr::from_bytes(text.to_bytes())))
}

/// The default file system's part of a file.
///
/// # Safety
/// `file` must have been opened by [`open`].
unsafe fn inner(file: *mut sys::sqlite3_file) -> *mut sys::sqlite3_file {
    // SAFETY: SQLite allocated OWN bytes more than the default one asks for.
    unsafe { file.cast::<u8>().add(OWN).cast() }
}

/// # Safety
/// As [`inner`].
unsafe fn watched<'a>(file: *mut sys::sqlite3_file) -> Option<&'a mut Watched> {
    // SAFETY: set by `open` to null or to a box that `close` frees; SQLite uses
    // a file from one thread at a time.
    unsafe { (*file.cast::<Shim>()).watched.as_mut() }
}

fn code(failing: Failing, error: c_int) -> c_int {
    match failing {
        Failing::Error => error,
        Failing::Full => sys::SQLITE_FULL,
    }
}

unsafe extern "C" fn open(
    _: *mut sys::sqlite3_vfs,
    name: *const c_char,
    file: *mut sys::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let made = flags & sys::SQLITE_OPEN_CREATE != 0;
    let journal = flags & (sys::SQLITE_OPEN_WAL | sys::SQLITE_OPEN_MAIN_JOURNAL) != 0;
    let watch = path(name).and_then(|path| Some((Watch::of(path)?, made && !path.exists())));
    // SAFETY: `file` holds szOsFile bytes; the real one's part lies behind ours.
    unsafe {
        let shim = file.cast::<Shim>();
        (*shim).base.pMethods = std::ptr::null();
        (*shim).watched = std::ptr::null_mut();
        let real = REAL.load(Ordering::Acquire);
        let Some(open) = (*real).xOpen else {
            return sys::SQLITE_CANTOPEN;
        };
        let done = open(real, name, inner(file), flags, out);
        if !(*inner(file)).pMethods.is_null() {
            (*shim).base.pMethods = &raw const METHODS;
        }
        if done == sys::SQLITE_OK
            && let Some(((watch, name), new)) = watch
        {
            if new && watch.take(Op::Create(name.clone())).is_err() {
                return sys::SQLITE_CANTOPEN;
            }
            let own = Watched {
                watch,
                name,
                syncs_folder: new && journal,
            };
            (*shim).watched = Box::into_raw(Box::new(own));
        }
        done
    }
}

unsafe extern "C" fn delete(
    _: *mut sys::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    if let Some((watch, name)) = path(name).and_then(Watch::of) {
        let mut taken = watch.take(Op::Delete(name));
        if sync_folder != 0 {
            taken = taken.and_then(|()| watch.take(Op::SyncFolder));
        }
        if let Err(failing) = taken {
            return code(failing, sys::SQLITE_IOERR_DELETE);
        }
    }
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        let real = REAL.load(Ordering::Acquire);
        (*real)
            .xDelete
            .map_or(sys::SQLITE_ERROR, |f| f(real, name, sync_folder))
    }
}

unsafe extern "C" fn close(file: *mut sys::sqlite3_file) -> c_int {
    // SAFETY: the box came from `open`; SQLite does not use the file again.
    unsafe {
        let shim = file.cast::<Shim>();
        if !(*shim).watched.is_null() {
            drop(Box::from_raw((*shim).watched));
            (*shim).watched = std::ptr::null_mut();
        }
        let inner = inner(file);
        (*(*inner).pMethods)
            .xClose
            .map_or(sys::SQLITE_OK, |f| f(inner))
    }
}

unsafe extern "C" fn write(
    file: *mut sys::sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    at: sys::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes `amount` bytes.
    unsafe {
        if let Some(own) = watched(file) {
            let length = usize::try_from(amount).unwrap_or_default();
            let op = Op::Write {
                name: own.name.clone(),
                at: u64::try_from(at).unwrap_or_default(),
                bytes: std::slice::from_raw_parts(bytes.cast::<u8>(), length).to_vec(),
            };
            if let Err(failing) = own.watch.take(op) {
                return code(failing, sys::SQLITE_IOERR_WRITE);
            }
        }
        let inner = inner(file);
        (*(*inner).pMethods)
            .xWrite
            .map_or(sys::SQLITE_IOERR, |f| f(inner, bytes, amount, at))
    }
}

unsafe extern "C" fn truncate(file: *mut sys::sqlite3_file, size: sys::sqlite3_int64) -> c_int {
    // SAFETY: `file` came from `open`.
    unsafe {
        if let Some(own) = watched(file) {
            let op = Op::Truncate {
                name: own.name.clone(),
                size: u64::try_from(size).unwrap_or_default(),
            };
            if let Err(failing) = own.watch.take(op) {
                return code(failing, sys::SQLITE_IOERR_TRUNCATE);
            }
        }
        let inner = inner(file);
        (*(*inner).pMethods)
            .xTruncate
            .map_or(sys::SQLITE_IOERR, |f| f(inner, size))
    }
}

unsafe extern "C" fn sync(file: *mut sys::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: `file` came from `open`.
    unsafe {
        if let Some(own) = watched(file) {
            let mut taken = own.watch.take(Op::Sync(own.name.clone()));
            if taken.is_ok() && own.syncs_folder {
                taken = own.watch.take(Op::SyncFolder);
                own.syncs_folder = false;
            }
            if let Err(failing) = taken {
                return code(failing, sys::SQLITE_IOERR_FSYNC);
            }
        }
        let inner = inner(file);
        (*(*inner).pMethods)
            .xSync
            .map_or(sys::SQLITE_IOERR, |f| f(inner, flags))
    }
}

/// What is handed on as it is.
macro_rules! passed {
    ($name:ident, $method:ident, $absent:expr $(, $arg:ident: $kind:ty)*) => {
        unsafe extern "C" fn $name(file: *mut sys::sqlite3_file $(, $arg: $kind)*) -> c_int {
            // SAFETY: `file` came from `open`; the rest is SQLite's own.
            unsafe {
                let inner = inner(file);
                (*(*inner).pMethods).$method.map_or($absent, |f| f(inner $(, $arg)*))
            }
        }
    };
}

passed!(read, xRead, sys::SQLITE_IOERR, to: *mut c_void, amount: c_int, at: sys::sqlite3_int64);
passed!(file_size, xFileSize, sys::SQLITE_IOERR, size: *mut sys::sqlite3_int64);
passed!(lock, xLock, sys::SQLITE_IOERR, level: c_int);
passed!(unlock, xUnlock, sys::SQLITE_IOERR, level: c_int);
passed!(check_reserved_lock, xCheckReservedLock, sys::SQLITE_IOERR, out: *mut c_int);
passed!(file_control, xFileControl, sys::SQLITE_NOTFOUND, op: c_int, arg: *mut c_void);
passed!(sector_size, xSectorSize, 4096);
passed!(device_characteristics, xDeviceCharacteristics, 0);
passed!(shm_map, xShmMap, sys::SQLITE_IOERR, page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
passed!(shm_lock, xShmLock, sys::SQLITE_IOERR, offset: c_int, n: c_int, flags: c_int);
passed!(shm_unmap, xShmUnmap, sys::SQLITE_OK, delete: c_int);

unsafe extern "C" fn shm_barrier(file: *mut sys::sqlite3_file) {
    // SAFETY: `file` came from `open`.
    unsafe {
        let inner = inner(file);
        if let Some(barrier) = (*(*inner).pMethods).xShmBarrier {
            barrier(inner);
        }
    }
}
