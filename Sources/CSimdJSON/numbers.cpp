#include "numbers.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include <simdjson.h>

namespace {

// Whether a decimal number is 1 or more in magnitude: which end of the range it left.
bool is_large(const char *at, const char *end) noexcept {
    int64_t magnitude = 0, power = 0;
    bool fraction = false, significant = false, minus = false;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') fraction = true;
        if (*at >= '1' && *at <= '9') significant = true;
        if (*at < '0' || *at > '9') continue;
        if (!fraction && significant) magnitude++;
        if (fraction && !significant) magnitude--;
    }
    for (; at < end; at++) {
        if (*at == '-') minus = true;
        if (*at >= '0' && *at <= '9' && power < 1'000'000'000) power = power * 10 + (*at - '0');
    }
    return significant && magnitude + (minus ? -power : power) > 0;
}

template <typename T>
size_t format(T value, char *out) noexcept {
    if (!std::isfinite(value)) {
        std::memcpy(out, "null", 4);
        return 4;
    }
    char *end = std::to_chars(out, out + 32, value).ptr;
    for (const char *c = out; c < end; c++) {
        if (*c == '.' || *c == 'e') return end - out;
    }
    std::memcpy(end, ".0", 2);
    return end + 2 - out;
}

}  // namespace

sluice_json_kind sluice::convert(const char *text, const char *end, double &out) noexcept {
    double value = 0;
    auto result = std::from_chars(text, end, value);
    if (result.ptr != end || text == end) return SLUICE_JSON_STRING;
    if (result.ec == std::errc::result_out_of_range) {
        // The library says the same of both ends of the range.
        if (is_large(text, end)) return SLUICE_JSON_OUT_OF_RANGE;
        value = *text == '-' ? -0.0 : 0.0;
    }
    out = value;
    return std::isfinite(value) ? SLUICE_JSON_NUMBER : SLUICE_JSON_OUT_OF_RANGE;
}

size_t sluice_format_float(float value, char *out) { return format(value, out); }

size_t sluice_format_double(double value, char *out) { return format(value, out); }

size_t sluice_format_integer(int64_t value, char *out) { return std::to_chars(out, out + 32, value).ptr - out; }

bool sluice_is_utf8(const char *text, size_t length) {
    return length == 0 || simdjson::validate_utf8(text, length);
}
