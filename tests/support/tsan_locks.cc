// Lets ThreadSanitizer see the locks that gRPC holds; linked into every program of the tsan build.
//
// Debian's gRPC and Abseil are not built with it: what one thread of gRPC hands to another, and to our
// callbacks, looks like a race. So absl::Mutex, which all of gRPC locks by, is wrapped here. All of them
// count as one lock: what stays unseen are races that such a lock happens to order. tsan_suppressions.txt
// names the rest.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

namespace {

char every_mutex;

using MutexFunction = void (*)(void*);

void Through(MutexFunction real, void* mutex) {
  __tsan_release(&every_mutex);
  real(mutex);
  __tsan_acquire(&every_mutex);
}

MutexFunction Real(const char* symbol) { return reinterpret_cast<MutexFunction>(dlsym(RTLD_NEXT, symbol)); }

}  // namespace

// Named as Debian's libabsl_synchronization names absl::Mutex::Lock() and Unlock().
extern "C" void _ZN4absl7debian35Mutex4LockEv(void* mutex) {
  static const MutexFunction real = Real("_ZN4absl7debian35Mutex4LockEv");
  Through(real, mutex);
}

extern "C" void _ZN4absl7debian35Mutex6UnlockEv(void* mutex) {
  static const MutexFunction real = Real("_ZN4absl7debian35Mutex6UnlockEv");
  Through(real, mutex);
}
