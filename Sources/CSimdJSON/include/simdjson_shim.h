// C interface over simdjson: the values at a fixed list of JSON pointers, in one walk over a document; those of the
// columns of a CSV record; and the number and text primitives of libstdc++ and simdjson that the codec shares. Nothing
// here throws; nothing allocates per document once the buffers have grown to the largest document seen.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum : uint8_t {
    SLUICE_JSON_MISSING,       // no such value
    SLUICE_JSON_NULL,
    SLUICE_JSON_BOOL,          // `boolean`
    SLUICE_JSON_INTEGER,       // `integer`, `number`, and its digits in `text`
    SLUICE_JSON_NUMBER,        // `number` (finite, nearest binary64), and its digits in `text`
    SLUICE_JSON_OUT_OF_RANGE,  // a number beyond binary64, such as 1e400
    SLUICE_JSON_STRING,        // `text`, `length`: unescaped, valid UTF-8
    SLUICE_JSON_CONTAINER,     // an object or an array
    SLUICE_JSON_MISPLACED,     // the path leads through something that is neither null nor what the pointer expects
} sluice_json_kind;

// One value. `text` is valid until the next parse.
typedef struct {
    const char *text;
    uint32_t length;
    sluice_json_kind kind;
    bool boolean;
    double number;
    int64_t integer;
} sluice_json_value;

typedef struct sluice_json_parser sluice_json_parser;

// A parser of the values at `count` JSON pointers (RFC 6901, at least one token; arrays by index). Null when a
// pointer is malformed, its index then in `*invalid`, or (`*invalid` = count) when memory is out.
sluice_json_parser *sluice_json_parser_create(
    const char *const *pointers, const size_t *lengths, size_t count, size_t *invalid);
void sluice_json_parser_destroy(sluice_json_parser *parser);

// Walks one document and fills the results, one per pointer in the order given. The whole document is checked:
// grammar, UTF-8, escapes, numbers, nothing behind it, at most 256 levels. Of equal keys the last counts. Null when
// the document is good, else what is wrong (a constant string); the results are then meaningless.
const char *sluice_json_parse(sluice_json_parser *parser, const void *bytes, size_t count);
const sluice_json_value *sluice_json_values(const sluice_json_parser *parser);

// What the text of a CSV column becomes.
typedef enum : uint8_t {
    SLUICE_CSV_IGNORED,
    SLUICE_CSV_TEXT,
    SLUICE_CSV_NUMBER,
    SLUICE_CSV_TIME,   // digits are milliseconds, anything else is a text
    SLUICE_CSV_LABEL,  // a number, `true` or `false`
} sluice_csv_role;

typedef struct {
    sluice_csv_role role;
    uint32_t slot;  // of the value; of an ignored column any
} sluice_csv_column;

// Splits one record (RFC 4180) into the values of its columns; those of other slots stay what they are. A field may be
// quoted, `""` in it is a quote; an empty field that is not quoted is null; blanks around a field that is not quoted do
// not count. The record may end in CR, LF or both; behind it lie 64 zeros. Quoted fields are unquoted where they stand;
// the values point into the record. A number is SLUICE_JSON_NUMBER, correctly rounded, SLUICE_JSON_OUT_OF_RANGE
// (overflow, nan, inf) or, when it is none, SLUICE_JSON_STRING. Null when the record is good, else what is wrong with
// it (a constant string); the values are then meaningless.
const char *sluice_csv_split(
    const sluice_csv_column *columns, size_t count, char *record, size_t length, sluice_json_value *values);

// Shortest text that parses back to the same value, always with a fraction or an exponent; `null` for NaN and
// infinities. At most 32 bytes, not terminated; returns their number.
size_t sluice_format_float(float value, char *out);
size_t sluice_format_double(double value, char *out);
size_t sluice_format_integer(int64_t value, char *out);

bool sluice_is_utf8(const char *text, size_t length);

#ifdef __cplusplus
}
#endif
