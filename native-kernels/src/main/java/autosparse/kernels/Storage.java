package autosparse.kernels;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Types that kernels store activations in. They compute in float whatever they store. */
public enum Storage {
  F32(4),
  BF16(2);

  private final int bytes;

  Storage(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of an element. */
  public int bytes() {
    return bytes;
  }

  /** Elements of one 16-byte access. */
  public int pack() {
    return 16 / bytes;
  }

  /**
   * Whether rows can be read in 16-byte accesses.
   *
   * @param columns elements of a row
   * @param addresses of the arrays, joined by OR
   */
  boolean fillsPacks(long columns, long addresses) {
    return columns % pack() == 0 && addresses % 16 == 0;
  }

  /** The name of a kernel's entry for this type: {@code add_bf16}. */
  String entry(String kernel) {
    return kernel + "_" + name().toLowerCase(Locale.ROOT);
  }

  /** Something for each type, such as its entries. */
  static <V> Map<Storage, V> each(Function<Storage, V> make) {
    Map<Storage, V> all = new EnumMap<>(Storage.class);
    for (Storage storage : values()) {
      all.put(storage, make.apply(storage));
    }
    return all;
  }
}
