import Synchronization

/// A value that is there later, for its waiters; when one is cancelled, those waiting throw.
final class Settled<Value: Sendable>: Sendable {
    private let content = Mutex<(value: Value?, waiting: [CheckedContinuation<Value?, Never>])>((nil, []))

    func settle(_ value: Value?) {
        let waiting = content.withLock { content in
            if content.value == nil { content.value = value }
            defer { content.waiting = [] }
            return content.waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }

    var value: Value {
        get async throws {
            let value = await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                    let answer: Value?? = content.withLock { content in
                        if content.value != nil || Task.isCancelled { return .some(content.value) }
                        content.waiting.append(continuation)
                        return nil
                    }
                    if let answer { continuation.resume(returning: answer) }
                }
            } onCancel: {
                settle(nil)
            }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}
