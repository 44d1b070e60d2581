// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a board has and a machine of qemu has not: a GPIO chip, a PWM chip and an SPI bus. For .ci/packages, and the kernel of the system there (6.1).
 *
 * Of the eight lines, the second four are wired to the first four: an input reads what the output four before it is set to. The SPI device, which
 * the kernel's spidev drives by the name of one that it knows, sends back what it is sent.
 */
#include <linux/gpio/driver.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>
#include <linux/spi/spi.h>

#define LINES 8
#define CHANNELS 2

/* What the outputs are set to, a bit each: /sys/module/board_hardware/parameters/outputs. */
static uint outputs;
module_param(outputs, uint, 0444);

static unsigned long directions = ~0UL; /* a bit of each input */
static struct platform_device *board;
static struct spi_controller *bus;

static int line_direction(struct gpio_chip *chip, unsigned int line)
{
	return test_bit(line, &directions) ? GPIO_LINE_DIRECTION_IN : GPIO_LINE_DIRECTION_OUT;
}

static int line_input(struct gpio_chip *chip, unsigned int line)
{
	set_bit(line, &directions);
	return 0;
}

static void line_set(struct gpio_chip *chip, unsigned int line, int value)
{
	outputs = value ? outputs | BIT(line) : outputs & ~BIT(line);
}

static int line_output(struct gpio_chip *chip, unsigned int line, int value)
{
	clear_bit(line, &directions);
	line_set(chip, line, value);
	return 0;
}

static int line_get(struct gpio_chip *chip, unsigned int line)
{
	unsigned int wired = test_bit(line, &directions) && line >= LINES / 2 ? line - LINES / 2 : line;

	return !!(outputs & BIT(wired));
}

static struct gpio_chip lines = {
	.label = "board-hardware",
	.owner = THIS_MODULE,
	.base = -1,
	.ngpio = LINES,
	.get_direction = line_direction,
	.direction_input = line_input,
	.direction_output = line_output,
	.get = line_get,
	.set = line_set,
};

/* The kernel keeps what was applied, and shows it. */
static int channel_apply(struct pwm_chip *chip, struct pwm_device *channel, const struct pwm_state *state)
{
	return 0;
}

static const struct pwm_ops channel_ops = {
	.apply = channel_apply,
	.owner = THIS_MODULE,
};

static struct pwm_chip channels = {
	.ops = &channel_ops,
	.npwm = CHANNELS,
};

static int bus_transfer(struct spi_controller *bus, struct spi_device *device, struct spi_transfer *transfer)
{
	if (transfer->rx_buf && transfer->tx_buf)
		memcpy(transfer->rx_buf, transfer->tx_buf, transfer->len);
	else if (transfer->rx_buf)
		memset(transfer->rx_buf, 0, transfer->len);
	return 0;
}

static struct spi_board_info device = {
	.modalias = "ltc2488",
	.max_speed_hz = 1000000,
};

static int __init hardware_init(void)
{
	int error;

	board = platform_device_register_simple("board-hardware", -1, NULL, 0);
	if (IS_ERR(board))
		return PTR_ERR(board);
	lines.parent = &board->dev;
	error = gpiochip_add_data(&lines, NULL);
	if (error)
		goto no_lines;
	channels.dev = &board->dev;
	error = pwmchip_add(&channels);
	if (error)
		goto no_channels;
	error = -ENOMEM;
	bus = spi_alloc_master(&board->dev, 0);
	if (!bus)
		goto no_bus;
	bus->bus_num = 0;
	bus->num_chipselect = 1;
	bus->transfer_one = bus_transfer;
	error = spi_register_controller(bus);
	if (error)
		goto no_register;
	error = -ENODEV;
	if (!spi_new_device(bus, &device))
		goto no_device;
	return 0;

no_device:
	spi_unregister_controller(bus);
	goto no_bus;
no_register:
	spi_controller_put(bus);
no_bus:
	pwmchip_remove(&channels);
no_channels:
	gpiochip_remove(&lines);
no_lines:
	platform_device_unregister(board);
	return error;
}

/* It stays until its machine ends. */
module_init(hardware_init);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A board's GPIO, PWM and SPI, played");
