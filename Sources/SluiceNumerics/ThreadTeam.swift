internal import CStepKernel
internal import Glibc

/// Threads for the arithmetic of one training: its caller and some more, which end with it.
@safe public final class ThreadTeam {
    /// nil: the caller alone.
    let handle: OpaquePointer?
    public let threads: Int

    /// Processors that are there to use.
    public static var cores: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

    /// - Parameter threads: with the caller's; the caller alone if the system has no more to give.
    public init(threads: Int) {
        precondition(threads > 0, "at least one thread")
        unsafe handle = threads > 1 ? sluice_team_create(threads) : nil
        self.threads = unsafe handle == nil ? 1 : threads
    }

    deinit { if let handle = unsafe handle { unsafe sluice_team_destroy(handle) } }
}
