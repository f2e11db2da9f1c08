internal import Dispatch
internal import Foundation
internal import Synchronization

/// Pieces of work on some threads. What they come to is heard on the caller's thread, in the order in which it came.
final class TrialThreads<Output: Sendable>: Sendable {
    /// One piece by its index; tells how far it is by `tell`, and looks at `isStopped` now and then.
    typealias Work =
        @Sendable (_ index: Int, _ isStopped: @Sendable () -> Bool, _ tell: (Double) -> Void) throws -> Output

    private struct State {
        var next = 0
        var running: Int
        /// How far each piece is, in units of its own.
        var told: [Double]
        /// Not heard yet: one for each piece at most.
        var outputs: [(index: Int, output: Output)] = []
        var error: (any Error)?
        /// Whether the caller has been woken, and has not looked yet.
        var isWoken = false
    }

    private let count: Int
    private let state: Mutex<State>
    private let news = DispatchSemaphore(value: 0)

    private init(_ count: Int, threads: Int) {
        self.count = count
        state = Mutex(State(running: threads, told: Array(repeating: 0, count: count)))
    }

    /// - Parameters:
    ///   - heard: what has been finished since the last call, and how far all pieces are together.
    /// - Throws: the first error of the work or of `heard`; all threads have ended by then.
    static func run(
        _ count: Int, threads: Int, work: @escaping Work,
        heard: (_ finished: [(index: Int, output: Output)], _ told: Double) throws -> Void
    ) throws {
        guard count > 0 else { return }
        let number = min(count, max(1, threads))
        let all = TrialThreads(count, threads: number)
        for _ in 0..<number { Thread { all.take(work) }.start() }
        var isOver = false
        while !isOver {
            all.news.wait()
            let (finished, told, isLast) = all.state.withLock { state in
                defer {
                    state.outputs = []
                    state.isWoken = false
                }
                return (state.outputs, state.told.reduce(0, +), state.running == 0)
            }
            do { try heard(finished, told) } catch { all.fail(error) }
            isOver = isLast
        }
        if let error = all.state.withLock({ $0.error }) { throw error }
    }

    /// One thread: piece after piece until none is left, or one has failed.
    private func take(_ work: Work) {
        while let index = nextIndex() {
            do {
                let output = try work(index, { self.state.withLock { $0.error != nil } }) { told in
                    change { $0.told[index] = told }
                }
                change { $0.outputs.append((index, output)) }
            } catch {
                fail(error)
            }
        }
        change { $0.running -= 1 }
    }

    private func nextIndex() -> Int? {
        state.withLock { state in
            guard state.error == nil, state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func fail(_ error: any Error) { state.withLock { $0.error = $0.error ?? error } }

    private func change(_ body: (inout State) -> Void) {
        let wakes = state.withLock { state in
            body(&state)
            defer { state.isWoken = true }
            return !state.isWoken
        }
        if wakes { news.signal() }
    }
}
