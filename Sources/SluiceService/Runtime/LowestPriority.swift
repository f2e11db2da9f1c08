package import Foundation

/// The lowest priority, nice 19, for what may wait for everything else on the machine.
package enum LowestPriority {
    /// On Linux a priority is a thread's, and threads that it starts from now on, those of libraries included, have it
    /// too. A real-time one is given up: nice means nothing to that.
    ///
    /// - Parameter thread: of this process; 0 is the calling one.
    package static func take(thread: pid_t = 0) {
        var none = sched_param()
        sched_setscheduler(thread, SCHED_OTHER, &none)
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(thread), 19)
    }
}
