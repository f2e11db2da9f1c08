import Glibc
import SluiceCore
import SluiceFiles
package import SluiceState
import SystemPackage

/// The saved state of partitions in the state directory: per partition one file of frames.
///
/// A frame is `"SLST"`, version UInt16, flags UInt16 (bit 0: it holds every slot), payload length UInt64, a checksum,
/// payload; little-endian. The payload is offset Int64, control offset Int64, model hash (64 ASCII bytes), then
/// `StoreRecord`s. `schemas/snapshot.md` is the specification.
///
/// Each frame is consistent at its own offset, so a torn or corrupt one ends the file: what is before it is an older
/// state, from which the log is folded again. Frames are appended and made durable; when they outgrow the slots the
/// file is written anew.
package final class FileStateStore: StateStore {
    private static let magic: UInt32 = 0x5453_4C53
    private static let version: UInt16 = 1
    private static let frameHeaderBytes = 24
    private static let positionBytes = 80

    private struct Extent {
        /// Bytes of good frames.
        var end = 0
        /// Bytes of the frame that holds every slot.
        var base = 0
    }

    private let directory: StateDirectory
    /// Appended bytes below which rewriting is not worth it.
    private let appendedMinimum: Int
    /// Files that can be appended to; a partition without one is written whole.
    private var extents: [Int32: Extent] = [:]

    init(directory: StateDirectory, appendedMinimum: Int = 64 << 20) {
        self.directory = directory
        self.appendedMinimum = appendedMinimum
    }

    package func discard(_ partition: Int32) { extents[partition] = nil }

    package func wantsEverything(_ partition: Int32) -> Bool {
        guard let extent = extents[partition] else { return true }
        return extent.end - extent.base > max(appendedMinimum, 2 * extent.base)
    }

    package func modelHash(_ partition: Int32) throws -> String? {
        unsafe try FileBytes.withMapped(directory.file(partition)) { bytes in
            unsafe Self.frame(bytes, at: 0).map { unsafe Self.position($0).modelHash }
        } ?? nil
    }

    package func load(
        _ partition: Int32, _ body: (StoreRecord, UnsafeRawBufferPointer) throws -> Void
    ) throws -> StorePosition? {
        extents[partition] = nil
        let loaded = unsafe try FileBytes.withMapped(directory.file(partition)) { bytes in
            var extent = Extent()
            var position: StorePosition?
            while let frame = unsafe Self.frame(bytes, at: extent.end) {
                position = unsafe Self.position(frame)
                unsafe try StoreChanges.forEach(
                    in: UnsafeRawBufferPointer(rebasing: frame[Self.positionBytes...]), body)
                if extent.end == 0 { extent.base = frame.count }
                extent.end += Self.frameHeaderBytes + frame.count
            }
            return (extent, position)
        }
        guard let (extent, position) = loaded, position != nil else { return nil }
        extents[partition] = extent
        return position
    }

    package func save(
        _ partition: Int32, _ position: StorePosition, _ changes: borrowing StoreChanges, isEverything: Bool
    ) throws {
        let records = unsafe changes.arena.bytes
        var head = ByteArena(capacity: Self.frameHeaderBytes + Self.positionBytes)
        var stamp = ByteArena(capacity: Self.positionBytes)
        Self.append(position.offset, to: &stamp)
        Self.append(position.controlOffset, to: &stamp)
        stamp.append(position.modelHash)
        precondition(stamp.count == Self.positionBytes, "a model hash has 64 digits")
        Self.append(Self.magic, to: &head)
        Self.append(Self.version, to: &head)
        Self.append(UInt16(isEverything ? 1 : 0), to: &head)
        Self.append(UInt64(stamp.count + records.count), to: &head)
        Self.append(unsafe xxHash64(records, seed: xxHash64(stamp.bytes)), to: &head)
        unsafe head.append(stamp.bytes)
        if isEverything {
            unsafe try FileBytes.replace(directory.file(partition), with: [head.bytes, records])
            extents[partition] = Extent(end: head.count + records.count, base: records.count)
        } else {
            unsafe try append([head.bytes, records], partition)
            extents[partition]?.end += head.count + records.count
        }
    }

    /// Appends behind the last good frame.
    private func append(_ parts: [UnsafeRawBufferPointer], _ partition: Int32) throws {
        guard let extent = extents[partition] else {
            throw SluiceError(.invalidState, "changes of partition \(partition) without a state to change")
        }
        let path = directory.file(partition)
        // Until this append is whole, the file's end is not known.
        extents[partition] = nil
        do {
            let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: .closeOnExec)
            try file.closeAfter {
                guard ftruncate(file.rawValue, extent.end) == 0 else { throw Errno(rawValue: errno) }
                try file.seek(offset: Int64(extent.end), from: .start)
                unsafe try parts.forEach { part in _ = unsafe try file.writeAll(part) }
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        } catch let error as Errno {
            throw SluiceError(
                .file, "the state cannot be saved: \(path)", remedy: "is the disk full?", retry: .later, cause: error)
        }
        extents[partition] = extent
    }

    /// The payload of the frame that begins at `start`; nil where there is no whole, sound frame.
    private static func frame(_ bytes: UnsafeRawBufferPointer, at start: Int) -> UnsafeRawBufferPointer? {
        guard bytes.count - start >= frameHeaderBytes + positionBytes else { return nil }
        func field<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            unsafe T(littleEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: T.self))
        }
        guard field(0, UInt32.self) == magic, field(4, UInt16.self) == version else { return nil }
        // What holds every slot replaces the file: it comes first, and only there.
        guard field(6, UInt16.self) == (start == 0 ? 1 : 0) else { return nil }
        let length = field(8, UInt64.self)
        guard length >= UInt64(positionBytes), length <= UInt64(bytes.count - start - frameHeaderBytes) else {
            return nil
        }
        let payload = unsafe UnsafeRawBufferPointer(
            rebasing: bytes[start + frameHeaderBytes..<start + frameHeaderBytes + Int(length)])
        let stamp = unsafe xxHash64(UnsafeRawBufferPointer(rebasing: payload[..<positionBytes]))
        let checksum = unsafe xxHash64(UnsafeRawBufferPointer(rebasing: payload[positionBytes...]), seed: stamp)
        return unsafe checksum == field(16, UInt64.self) ? payload : nil
    }

    private static func position(_ payload: UnsafeRawBufferPointer) -> StorePosition {
        unsafe StorePosition(
            offset: Int64(littleEndian: payload.loadUnaligned(fromByteOffset: 0, as: Int64.self)),
            controlOffset: Int64(littleEndian: payload.loadUnaligned(fromByteOffset: 8, as: Int64.self)),
            modelHash: String(decoding: payload[16..<positionBytes], as: UTF8.self))
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to arena: inout ByteArena) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe arena.append($0) }
    }
}
