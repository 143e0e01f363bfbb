package autosparse.costmodel.pytorch;

import autosparse.schedule.InputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/**
 * Reads the pickle of a state dict and nothing else.
 *
 * <p>A pickle is a program: it names functions and calls them. This reader knows the three names
 * that a state dict of fp32 tensors has, gives them a meaning of its own, and refuses every other
 * name before it can be called. Of the library it uses the stack, the memo and the plain values;
 * its constructors, which make dates, sets or objects of unknown classes, are out of reach.
 */
final class StateDictUnpickler extends Unpickler {
  /** What a state dict's pickle may name. */
  private enum Known {
    DICT("collections.OrderedDict"),
    TENSOR("torch._utils._rebuild_tensor_v2"),
    FLOATS("torch.FloatStorage");

    private final String path;

    Known(String path) {
      this.path = path;
    }

    static String all() {
      return Arrays.stream(values()).map(known -> known.path).collect(Collectors.joining(", "));
    }
  }

  private record Storage(String key, long elements) {}

  private StateDictUnpickler() {}

  /**
   * The tensors of a state dict, in the file's order.
   *
   * @throws PickleException in one line, if the bytes are no pickle of a state dict
   */
  static Map<String, TensorView> read(byte[] pickle) {
    ByteArrayInputStream bytes = new ByteArrayInputStream(pickle);
    Object root;
    try {
      root = new StateDictUnpickler().load(bytes);
    } catch (IOException e) {
      throw new PickleException("cut short", e);
    } catch (PickleException e) {
      throw e;
    } catch (RuntimeException e) {
      // The library does not check its stack: a pickle that pops too much ends in whatever it hits.
      throw new PickleException("not a valid pickle (" + e + ")", e);
    }
    if (bytes.available() > 0) {
      throw new PickleException(bytes.available() + " bytes follow the end of the pickle");
    }
    if (!(root instanceof Map<?, ?> dict)) {
      throw new PickleException("holds " + describe(root) + ", expected a state dict");
    }
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    dict.forEach(
        (name, value) -> {
          if (!(value instanceof TensorView tensor)) {
            throw new PickleException(
                "entry '"
                    + InputException.quote(String.valueOf(name))
                    + "' is "
                    + describe(value)
                    + ", expected a state dict of tensors");
          }
          tensors.put((String) name, tensor);
        });
    return tensors;
  }

  @Override
  protected Object dispatch(short opcode) throws IOException {
    switch (opcode) {
      // Plain values, tuples and the memo are the library's.
      case Opcodes.PROTO,
          Opcodes.FRAME,
          Opcodes.MARK,
          Opcodes.NONE,
          Opcodes.NEWTRUE,
          Opcodes.NEWFALSE,
          Opcodes.BININT,
          Opcodes.BININT1,
          Opcodes.BININT2,
          Opcodes.LONG1,
          Opcodes.SHORT_BINUNICODE,
          Opcodes.EMPTY_TUPLE,
          Opcodes.TUPLE,
          Opcodes.TUPLE1,
          Opcodes.TUPLE2,
          Opcodes.TUPLE3,
          Opcodes.BINPUT,
          Opcodes.LONG_BINPUT,
          Opcodes.MEMOIZE,
          Opcodes.BINGET,
          Opcodes.LONG_BINGET,
          Opcodes.BINPERSID,
          Opcodes.STOP -> {
        return super.dispatch(opcode);
      }
      case Opcodes.BINUNICODE -> stack.add(longText());
      case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<String, Object>());
      case Opcodes.SETITEM -> {
        Object value = stack.pop();
        putAll(Arrays.asList(stack.pop(), value));
      }
      case Opcodes.SETITEMS -> putAll(stack.pop_all_since_marker());
      case Opcodes.GLOBAL -> stack.add(known(nameOnTwoLines()));
      case Opcodes.STACK_GLOBAL -> stack.add(known(nameOnStack()));
      case Opcodes.INST -> {
        known(nameOnTwoLines());
        throw refused(opcode);
      }
      case Opcodes.REDUCE -> {
        Object arguments = stack.pop();
        stack.add(call(stack.pop(), arguments));
      }
      case Opcodes.BUILD -> dropAttributes();
      default -> throw refused(opcode);
    }
    return NO_RETURN_VALUE;
  }

  private String nameOnTwoLines() throws IOException {
    String module = PickleUtils.readline(input);
    return module + "." + PickleUtils.readline(input);
  }

  private String nameOnStack() {
    if (!(stack.pop() instanceof String name) || !(stack.pop() instanceof String module)) {
      throw new PickleException("names what is no text");
    }
    return module + "." + name;
  }

  /** A state dict has one attribute: the versions of the modules that it was taken from. */
  private void dropAttributes() {
    if (!(stack.pop() instanceof Map<?, ?>) || !(stack.peek() instanceof Map<?, ?>)) {
      throw new PickleException("sets the state of what is no dict");
    }
  }

  private static PickleException refused(short opcode) {
    return new PickleException(
        "opcode 0x"
            + HexFormat.of().toHexDigits((byte) opcode)
            + ", expected only what a state dict needs");
  }

  /** The library would allocate whatever length the file claims. */
  private String longText() throws IOException {
    int length = PickleUtils.bytes_to_integer(PickleUtils.readbytes(input, Integer.BYTES));
    if (length < 0 || length > input.available()) {
      throw new PickleException("text of " + length + " bytes, cut short");
    }
    return new String(PickleUtils.readbytes(input, length), StandardCharsets.UTF_8);
  }

  /**
   * @param items keys and values in turn
   */
  @SuppressWarnings("unchecked") // Every map on the stack was made here, with text as keys.
  private void putAll(List<Object> items) {
    if (!(stack.peek() instanceof Map<?, ?> dict) || items.size() % 2 != 0) {
      throw new PickleException("sets items of what is no dict");
    }
    for (int i = 0; i < items.size(); i += 2) {
      if (!(items.get(i) instanceof String key)) {
        throw new PickleException("dict key " + describe(items.get(i)) + ", expected text");
      }
      ((Map<String, Object>) dict).put(key, items.get(i + 1));
    }
  }

  private static Known known(String path) {
    for (Known known : Known.values()) {
      if (known.path.equals(path)) {
        return known;
      }
    }
    throw new PickleException(
        "names "
            + InputException.quote(path)
            + ", which is refused: a state dict of fp32 tensors needs only "
            + Known.all());
  }

  private static Object call(Object function, Object arguments) {
    if (!(function instanceof Known known) || !(arguments instanceof Object[] given)) {
      throw new PickleException("calls " + describe(function));
    }
    if (known == Known.DICT && given.length == 0) {
      return new LinkedHashMap<String, Object>();
    }
    // storage, offset, size, stride, requires_grad, backward_hooks and, in newer files, metadata
    if (known == Known.TENSOR
        && given.length >= 6
        && given[0] instanceof Storage storage
        && given[2] instanceof Object[] size
        && given[3] instanceof Object[] stride) {
      TensorView view =
          new TensorView(
              storage.key(),
              storage.elements(),
              number("offset", given[1]),
              numbers("size", size),
              numbers("stride", stride));
      if (!view.isInside()) {
        throw new PickleException(
            String.format(
                "tensor of size %s, stride %s, offset %d in a storage of %d elements",
                Arrays.toString(view.shape()),
                Arrays.toString(view.stride()),
                view.offset(),
                view.storageElements()));
      }
      return view;
    }
    throw new PickleException("calls " + known.path + " with arguments that it does not take");
  }

  private static long[] numbers(String what, Object[] values) {
    long[] numbers = new long[values.length];
    for (int n = 0; n < numbers.length; n++) {
      numbers[n] = number(what, values[n]);
    }
    return numbers;
  }

  private static long number(String what, Object value) {
    if (value instanceof Integer || value instanceof Long) {
      return ((Number) value).longValue();
    }
    throw new PickleException("tensor " + what + " holds " + describe(value));
  }

  /** A reference to a storage: ("storage", its class, its key, its device, its elements). */
  @Override
  protected Object persistentLoad(Object id) {
    if (id instanceof Object[] parts
        && parts.length == 5
        && "storage".equals(parts[0])
        && parts[1] == Known.FLOATS
        && parts[2] instanceof String key) {
      return new Storage(key, number("storage", parts[4]));
    }
    throw new PickleException("refers to what is no storage of floats");
  }

  private static String describe(Object value) {
    if (value instanceof TensorView) {
      return "a tensor";
    }
    if (value instanceof Map<?, ?>) {
      return "a dict";
    }
    if (value instanceof Object[]) {
      return "a tuple";
    }
    if (value instanceof Known known) {
      return known.path;
    }
    return value == null ? "None" : "'" + InputException.quote(String.valueOf(value)) + "'";
  }
}
