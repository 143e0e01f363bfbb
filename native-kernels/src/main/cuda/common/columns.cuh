// Neighbouring columns of one row, the share of a thread in kernels that go down a matrix: read and
// written in one access.
#pragma once

namespace autosparse {

template <typename T, int kColumns>
struct alignas(kColumns * sizeof(T)) Columns {
  T element[kColumns];
};

}  // namespace autosparse
