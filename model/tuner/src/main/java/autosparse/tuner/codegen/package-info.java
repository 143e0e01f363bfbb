/** C functions made from schedules. */
package autosparse.tuner.codegen;
