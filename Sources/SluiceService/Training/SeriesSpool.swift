import Glibc
import SluiceFiles
import SluiceTraining

/// Where the rows of a data set go that are too many for memory: block by block into a file as they come, and at the
/// end, stream by stream, into another, which the series are mapped from. Both are in one folder and have no names.
struct SeriesSpool: ~Copyable {
    /// Consecutive rows of one series.
    private struct Block {
        let series: Int
        let rows: Int
        let offset: Int
    }

    private let folder: String
    private let layout: RowLayout
    private let file: ScratchFile
    private var blocks: [Block] = []
    private var buffer: [UInt8] = []

    init(_ layout: RowLayout, in folder: String) throws {
        self.layout = layout
        self.folder = folder
        file = try ScratchFile(in: folder)
    }

    /// Takes the rows of all series, which have none then.
    mutating func take(_ series: inout [TrainingSeries]) throws {
        for index in series.indices where series[index].count > 0 {
            blocks.append(Block(series: index, rows: series[index].count, offset: file.size + buffer.count))
            series[index].forEachColumn { buffer += $0 }
            series[index].removeRows()
            if buffer.count >= Self.bufferBytes { try write() }
        }
        try write()
    }

    /// Gives the series all their rows.
    consuming func finish(_ series: inout [TrainingSeries]) throws {
        try take(&series)
        var rows = [Int](repeating: 0, count: series.count)
        for block in blocks { rows[block.series] += block.rows }
        var starts = [0]
        for count in rows { starts.append(starts[starts.count - 1] + layout.bytes(count)) }
        let laidOut = try ScratchFile(in: folder)
        let memory = try laidOut.map(starts[series.count])
        var done = [Int](repeating: 0, count: series.count)
        for block in blocks {
            let index = block.series
            var (from, place) = (block.offset, starts[index])
            for width in layout.widths where width > 0 {
                try file.read(
                    at: from,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: memory[(place + done[index] * width)..<(place + (done[index] + block.rows) * width)]))
                from += block.rows * width
                place += rows[index] * width
            }
            done[index] += block.rows
        }
        for index in series.indices {
            let start = memory.baseAddress.unsafelyUnwrapped + starts[index]
            series[index].map(rows[index], layout, from: UnsafeRawPointer(start), owner: laidOut)
        }
    }

    private static var bufferBytes: Int { 4 << 20 }

    private mutating func write() throws {
        try buffer.withUnsafeBytes { try file.append($0) }
        buffer.removeAll(keepingCapacity: true)
    }
}
