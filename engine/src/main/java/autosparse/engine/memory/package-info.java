/** Reserved ranges of memory, the allocator over them and the book of what they hold. */
package autosparse.engine.memory;
