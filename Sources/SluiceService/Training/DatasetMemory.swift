/// What a data set may take of memory before its rows go into a file, and where that lies.
package struct DatasetMemory: Sendable {
    package var bytes: Int
    package var folder: String

    /// - Parameter bytes: nil: a quarter of what the machine has, or of what the process may have of it.
    package init(folder: String, bytes: Int? = nil) {
        self.folder = folder
        self.bytes = bytes ?? ProcessMemory.limitBytes / 4
    }
}
