// Decimal numbers to binary64.
#pragma once

#include <cstdint>

#include "simdjson_shim.h"

namespace sluice {

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Correctly rounded by the standard library: NUMBER, OUT_OF_RANGE on overflow, nan and inf, STRING when it is no
// number from first to last byte. Underflow is a zero.
sluice_json_kind convert(const char *text, const char *end, double &out) noexcept;

inline const char *digit_run(const char *at, uint64_t &mantissa) noexcept {
#pragma clang loop unroll(disable)
    for (;; at++) {
        unsigned digit = static_cast<unsigned char>(*at) - unsigned('0');
        if (digit > 9) return at;
        mantissa = mantissa * 10 + digit;
    }
}

// Reads a number as RFC 8259 writes it, from text that goes on with something else; returns its end, null when it is
// none.
//
// The classic fast path: a mantissa below 2^53 times or divided by a power of ten up to 10^22 is one exact operation,
// rounded once.
inline const char *scan_number(const char *text, sluice_json_value &out) noexcept {
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

}  // namespace sluice
