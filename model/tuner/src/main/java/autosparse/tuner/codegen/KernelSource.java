package autosparse.tuner.codegen;

/**
 * One C function.
 *
 * @param functionName its name
 * @param code the function, whole, of type {@code as_kernel} (kernel_abi.h, which the file that it
 *     is put into includes once)
 */
public record KernelSource(String functionName, String code) {}
