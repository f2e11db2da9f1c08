// Decimal numbers to binary64.
#pragma once

#include <cstdint>
#include <cstring>

#include "simdjson_shim.h"

namespace sluice {

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Correctly rounded by the standard library: NUMBER, OUT_OF_RANGE on overflow, nan and inf, STRING when it is no
// number from first to last byte. Underflow is a zero.
sluice_json_kind convert(const char *text, const char *end, double &out) noexcept;

constexpr uint64_t integral_powers_of_ten[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};

// Eight bytes as a word, the first of them the lowest.
inline uint64_t load_word(const char *text) noexcept {
    uint64_t word;
    std::memcpy(&word, text, 8);
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    return word;
}

// A word with the same byte eight times.
constexpr uint64_t each_byte(unsigned char byte) noexcept { return uint64_t(0x0101010101010101) * byte; }

// Marks the highest bit of each byte that, digits taken as 0 to 9, is none.
inline uint64_t marked_others(uint64_t values) noexcept {
    return (((values & each_byte(0x7f)) + each_byte(0x76)) | values) & each_byte(0x80);
}

// The number that eight digits write, each taken as 0 to 9, the first in the lowest byte.
inline uint64_t eight_digits(uint64_t values) noexcept {
    values = values * 10 + (values >> 8);
    uint64_t first = (values & 0x000000ff000000ff) * (100 + (uint64_t(1'000'000) << 32));
    uint64_t second = ((values >> 16) & 0x000000ff000000ff) * (1 + (uint64_t(10'000) << 32));
    return (first + second) >> 32;
}

// A decimal with a point and no exponent, of up to fourteen digits, seven before the point; null for any other number.
// No branch depends on how many digits there are, which is hard to foresee. Reads sixteen bytes.
inline const char *scan_decimal(const char *text, sluice_json_value &out) noexcept {
    bool negative = *text == '-';
    const char *start = text + negative;
    uint64_t values = load_word(start) ^ each_byte('0'), others = marked_others(values);
    if (others == 0) return nullptr;
    unsigned point = static_cast<unsigned>(__builtin_ctzll(others)) - 7, end;
    uint64_t whole = (uint64_t(1) << point) - 1, behind = others & (others - 1), terminator, mantissa;
    uint64_t digits = (values & whole) | ((values >> 8) & ~whole);
    if (behind != 0) {
        end = static_cast<unsigned>(__builtin_ctzll(behind)) - 7;
        terminator = values >> end;
        mantissa = eight_digits(digits << 8 << (64 - end));
    } else {
        uint64_t more = load_word(start + 8) ^ each_byte('0');
        others = marked_others(more);
        if (others == 0) return nullptr;
        unsigned bits = static_cast<unsigned>(__builtin_ctzll(others)) - 7;
        end = 64 + bits;
        terminator = more >> bits;
        // What is no digit falls off behind; zeros go in front.
        mantissa = eight_digits(digits << 8) * integral_powers_of_ten[bits / 8];
        mantissa += eight_digits(more << 8 << (56 - bits));
    }
    bool has_point = ((values >> point) & 0xff) == ('.' ^ '0');
    bool has_exponent = (terminator & 0xdf) == ('E' ^ '0' ^ 0x20);
    bool has_leading_zero = point > 8 && (values & 0xff) == 0;
    if (point == 0 || end == point + 8 || !has_point || has_exponent || has_leading_zero) return nullptr;
    double value = static_cast<double>(static_cast<int64_t>(mantissa)) / powers_of_ten[(end - point) / 8 - 1];
    out.text = text;
    out.length = static_cast<uint32_t>(negative + end / 8);
    out.kind = SLUICE_JSON_NUMBER;
    uint64_t sign = uint64_t(negative) << 63, magnitude;
    std::memcpy(&magnitude, &value, 8);
    magnitude |= sign;
    std::memcpy(&out.number, &magnitude, 8);
    return start + end / 8;
}

// The same for a number that must end at `stop`, of up to eight bytes without the sign: less work, because the end is
// known, and none that waits for what comes before. Zeros may lead, and either side of the point be empty; false for
// any other number. Reads eight bytes.
inline bool read_decimal(const char *text, const char *stop, sluice_json_value &out) noexcept {
    bool negative = *text == '-';
    const char *start = text + negative;
    size_t length = static_cast<size_t>(stop - start);
    if (length < 2 || length > 8) return false;
    // What comes behind falls off; zeros go in front.
    uint64_t values = (load_word(start) ^ each_byte('0')) << (64 - 8 * length), others = marked_others(values);
    if (others == 0 || (others & (others - 1)) != 0) return false;
    unsigned bit = static_cast<unsigned>(__builtin_ctzll(others)) - 7;
    if (((values >> bit) & 0xff) != ('.' ^ '0')) return false;
    uint64_t behind = ~uint64_t(0) << bit << 8, before = (uint64_t(1) << bit) - 1;
    uint64_t mantissa = eight_digits((values & behind) | (values & before) << 8);
    double value = static_cast<double>(static_cast<int64_t>(mantissa)) / powers_of_ten[(56 - bit) / 8];
    uint64_t magnitude;
    std::memcpy(&magnitude, &value, 8);
    magnitude |= uint64_t(negative) << 63;
    std::memcpy(&out.number, &magnitude, 8);
    out.text = text;
    out.length = static_cast<uint32_t>(stop - text);
    out.kind = SLUICE_JSON_NUMBER;
    return true;
}

// The bytes of digits that the text begins with, to their number.
inline const char *digit_run(const char *at, uint64_t &mantissa) noexcept {
#pragma clang loop unroll(disable)
    for (;; at++) {
        unsigned digit = static_cast<unsigned char>(*at) - unsigned('0');
        if (digit > 9) return at;
        mantissa = mantissa * 10 + digit;
    }
}

// Any number; see `scan_number`.
//
// The classic fast path: a mantissa below 2^53 times or divided by a power of ten up to 10^22 is one exact operation,
// rounded once.
inline const char *scan_any_number(const char *text, sluice_json_value &out) noexcept {
    bool negative = *text == '-';
    const char *start = text + negative;
    uint64_t mantissa = 0;
    const char *at = digit_run(start, mantissa);
    int64_t digits = at - start;
    if (digits == 0 || (*start == '0' && digits > 1)) return nullptr;
    int64_t exponent = 0;
    bool integral = true;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = digit_run(fraction, mantissa);
        if (at == fraction) return nullptr;
        exponent = fraction - at;
        digits -= exponent;
        integral = false;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        bool minus = *at == '-';
        if (minus || *at == '+') at++;
        const char *first = at;
        int64_t power = 0;
        for (; *at >= '0' && *at <= '9'; at++) {
            if (power < 1'000'000'000) power = power * 10 + (*at - '0');
        }
        if (at == first) return nullptr;
        exponent += minus ? -power : power;
        integral = false;
    }
    out.text = text;
    out.length = static_cast<uint32_t>(at - text);
    out.kind = SLUICE_JSON_NUMBER;
    if (digits <= 19 && mantissa < (uint64_t(1) << 53) && exponent >= -22 && exponent <= 22) {
        double value = static_cast<double>(mantissa);
        value = exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
        out.number = negative ? -value : value;
    } else {
        out.kind = convert(text, at, out.number);
    }
    if (integral && digits <= 19 && mantissa <= uint64_t(INT64_MAX) + negative) {
        out.kind = SLUICE_JSON_INTEGER;
        out.integer = static_cast<int64_t>(negative ? 0 - mantissa : mantissa);
    }
    return at;
}

// Reads a number as RFC 8259 writes it, from text that goes on with something else; returns its end, null when it is
// none. Looks at up to sixteen bytes beyond.
inline const char *scan_number(const char *text, sluice_json_value &out) noexcept {
    const char *end = scan_decimal(text, out);
    return end != nullptr ? end : scan_any_number(text, out);
}

}  // namespace sluice
