// One CSV record, split into the values that a JSON document gives.
#include <simdjson.h>

#include "numbers.hpp"
#include "simdjson_shim.h"

namespace {

inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

using Block = signed char __attribute__((ext_vector_type(64)));
using Marks = bool __attribute__((ext_vector_type(64)));

// By reference: no calling convention without wide registers knows such vectors.
inline void load(const char *at, Block &block) noexcept { std::memcpy(&block, at, sizeof block); }
inline uint64_t signs(const Block &block) noexcept {
    return __builtin_bit_cast(uint64_t, __builtin_convertvector(block < 0, Marks));
}

// The commas of a record, one after the other, without a look at what is between them: that the next field is known
// before this one is read keeps the processor busy.
class Commas {
public:
    Commas(char *record, char *end) noexcept : block(record), end(end), marks(find()) {}

    // The next, or the end.
    char *next() noexcept {
        while (marks == 0) {
            if (end - block <= 64) return end;
            block += 64;
            marks = find();
        }
        char *at = block + __builtin_ctzll(marks);
        marks &= marks - 1;
        return at < end ? at : end;
    }

private:
    char *block, *end;
    uint64_t marks;

    uint64_t find() const noexcept {
        Block bytes;
        load(block, bytes);
        return signs((Block)(bytes == ','));
    }
};

inline void number(const char *text, const char *end, sluice_json_value &out) noexcept {
    if (sluice::scan_number(text, out) == end) {
        if (out.kind == SLUICE_JSON_INTEGER) out.kind = SLUICE_JSON_NUMBER;
    } else {
        out.kind = sluice::convert(text, end, out.number);
    }
}

// A minus or nothing but digits: milliseconds.
inline bool is_count(const char *text, const char *end) noexcept {
    if (*text == '-') return true;
    while (text < end && *text >= '0' && *text <= '9') text++;
    return text == end;
}

void deliver(sluice_csv_role role, const char *text, const char *end, bool is_quoted, sluice_json_value &out) noexcept {
    size_t length = static_cast<size_t>(end - text);
    if (length == 0) {
        out.kind = is_quoted ? SLUICE_JSON_STRING : SLUICE_JSON_NULL;
    } else if (role == SLUICE_CSV_NUMBER || (role == SLUICE_CSV_TIME && is_count(text, end))) {
        number(text, end, out);
    } else if (role == SLUICE_CSV_LABEL) {
        out.boolean = length == 4 && std::memcmp(text, "true", 4) == 0;
        if (out.boolean || (length == 5 && std::memcmp(text, "false", 5) == 0)) {
            out.kind = SLUICE_JSON_BOOL;
        } else {
            number(text, end, out);
        }
    } else {
        out.kind = SLUICE_JSON_STRING;
    }
    out.text = text;
    out.length = static_cast<uint32_t>(length);
}

// Reads the field without quotes from `at` to `stop`, which it returns. Most are decimals.
inline char *plain_field(char *at, char *stop, sluice_csv_role role, sluice_json_value &out) noexcept {
    if (role == SLUICE_CSV_IGNORED) return stop;
    if (role == SLUICE_CSV_NUMBER && sluice::read_decimal(at, stop, out)) return stop;
    const char *last = stop;
    while (at < last && is_blank(*at)) at++;
    while (at < last && is_blank(last[-1])) last--;
    deliver(role, at, last, false, out);
    return stop;
}

// Reads the field that starts at `at`; where its comma is, or the end; null for a stray quote.
char *any_field(char *at, char *end, sluice_csv_role role, sluice_json_value &out) noexcept {
    if (at == end || *at != '"') {
        char *stop = at;
        while (stop < end && *stop != ',' && *stop != '"') stop++;
        return stop < end && *stop == '"' ? nullptr : plain_field(at, stop, role, out);
    }
    // Moved over the quotes that do not count: a text is never longer than what is written for it.
    char *first = at, *last = at;
    for (at++;; *last++ = *at++) {
        if (at == end) return nullptr;
        if (*at != '"') continue;
        if (++at == end || *at == ',') break;
        if (*at != '"') return nullptr;
    }
    *last = 0;
    if (role != SLUICE_CSV_IGNORED) deliver(role, first, last, true, out);
    return at;
}

}  // namespace

const char *sluice_csv_split(
    const sluice_csv_column *columns, size_t count, char *record, size_t length, sluice_json_value *values) {
    if (length == 0) return "it is empty";
    Block block, bytes = {}, quotes = {};
    for (size_t at = 0; at < length; at += sizeof block) {
        load(record + at, block);
        bytes |= block;
        quotes |= (Block)(block == '"');
    }
    if (signs(bytes) != 0 && !simdjson::validate_utf8(record, length)) return "it is not UTF-8";
    const bool has_quotes = signs(quotes) != 0;
    char *at = record, *end = record + length;
    if (end[-1] == '\n') end--;
    if (end > record && end[-1] == '\r') end--;
    Commas commas(record, end);
    for (size_t column = 0; column < count; column++, at++) {
        auto [role, slot] = columns[column];
        at = has_quotes ? any_field(at, end, role, values[slot])
                        : plain_field(at, commas.next(), role, values[slot]);
        if (at == nullptr) return "a quote is not closed, or stands where none may be";
        bool is_last = column + 1 == count;
        if (is_last != (at == end)) {
            return is_last ? "it has more fields than there are columns" : "it has too few fields";
        }
    }
    return nullptr;
}
