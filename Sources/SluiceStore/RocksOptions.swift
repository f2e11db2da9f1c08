internal import CRocksDB

/// The block cache: one for all partitions of the process, so that its bound is the process's.
@safe
final class BlockCache: Sendable {
    // RocksDB's caches are safe for all threads.
    fileprivate nonisolated(unsafe) let pointer: OpaquePointer?

    init(bytes: Int) { unsafe pointer = rocksdb_cache_create_lru(bytes) }
    deinit { unsafe rocksdb_cache_destroy(pointer) }
}

/// How partitions are stored: millions of keys of 10 to 100 bytes, values of 0.5 to 2 KB that are mostly floats, read
/// one by one, nearly all writes replacing what is there. For RocksDB 7.8.
@safe
final class RocksOptions {
    let pointer: OpaquePointer?

    /// - Parameter writeBufferBytes: of one partition, of which it has two at most: RocksDB's C API cannot share them
    ///   between partitions, so they are small.
    init(cache: BlockCache, writeBufferBytes: Int = 8 << 20) {
        unsafe pointer = rocksdb_options_create()
        unsafe rocksdb_options_set_create_if_missing(pointer, 1)
        setTables(cache)
        setLevels(writeBufferBytes: writeBufferBytes)
        setLimits()
        // Files that are missing, short or inconsistent are found when it is opened, and what is corrupt stops writes.
        unsafe rocksdb_options_set_paranoid_checks(pointer, 1)
        // What is behind a torn write was never acknowledged, or goes with it: the store stands at an earlier write.
        unsafe rocksdb_options_set_wal_recovery_mode(pointer, CInt(rocksdb_point_in_time_recovery))
    }

    deinit { unsafe rocksdb_options_destroy(pointer) }

    private func setTables(_ cache: BlockCache) {
        let tables = unsafe rocksdb_block_based_options_create()
        defer { unsafe rocksdb_block_based_options_destroy(tables) }
        unsafe rocksdb_block_based_options_set_block_cache(tables, cache.pointer)
        // 1 in 100 lookups of a stream that is not there reads a block. The tables own the filter.
        unsafe rocksdb_block_based_options_set_filter_policy(tables, rocksdb_filterpolicy_create_bloom_full(10))
        // A quarter of the index of the 4 KB that are the default, and a lookup still copies and checks little.
        unsafe rocksdb_block_based_options_set_block_size(tables, 16 << 10)
        // Indexes and filters of millions of keys are held within the bound of the cache too, before blocks of values.
        unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(tables, 1)
        unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(tables, 1)
        unsafe rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(tables, 1)
        unsafe rocksdb_block_based_options_set_format_version(tables, 5)
        unsafe rocksdb_options_set_block_based_table_factory(pointer, tables)
    }

    private func setLevels(writeBufferBytes: Int) {
        unsafe rocksdb_options_set_write_buffer_size(pointer, writeBufferBytes)
        unsafe rocksdb_options_set_max_write_buffer_number(pointer, 2)
        // Levels sized from the last one up: what was replaced takes a tenth of the disk, not as much as what is there.
        unsafe rocksdb_options_set_level_compaction_dynamic_level_bytes(pointer, 1)
        // The first level about as large as the four buffers whose files start a compaction into it.
        unsafe rocksdb_options_set_max_bytes_for_level_base(pointer, UInt64(8 * writeBufferBytes))
        // States are floats, which do not compress: LZ4 takes off a few percent and costs time in every compaction.
        unsafe rocksdb_options_set_compression(pointer, CInt(rocksdb_no_compression))
    }

    private func setLimits() {
        // One thread that flushes and one that compacts, shared by all partitions: the fold has two cores.
        unsafe rocksdb_options_set_max_background_jobs(pointer, 2)
        // Per partition; tables of 64 MB. The default keeps every file open, whatever the process may have.
        unsafe rocksdb_options_set_max_open_files(pointer, 64)
        unsafe rocksdb_options_set_max_file_opening_threads(pointer, 2)
        // Written back as it comes, not all at once when a file is closed and the log of writes waits for the disk.
        unsafe rocksdb_options_set_bytes_per_sync(pointer, 1 << 20)
        // The default allots 4 MB to a file of some KB, in each partition.
        unsafe rocksdb_options_set_manifest_preallocation_size(pointer, 64 << 10)
        // RocksDB's own log: what is fatal (level 4) and the options at the start, two files, no statistics.
        // Not its warnings: on a disk that is full, Debian's build, which has assertions, ends the process at the line
        // behind the one that did not fit (`sync_without_flush_called_`). An error says what the warnings would.
        unsafe rocksdb_options_set_info_log_level(pointer, 4)
        unsafe rocksdb_options_set_keep_log_file_num(pointer, 2)
        unsafe rocksdb_options_set_stats_dump_period_sec(pointer, 0)
        unsafe rocksdb_options_set_stats_persist_period_sec(pointer, 0)
    }
}
